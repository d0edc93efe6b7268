import type { Command } from "commander";
import { describedProgram } from "../../cli/program.ts";
import { afterHelp, statusPairs } from "./help-text.ts";
import type { Section } from "./help-text.ts";
import { entry, escaped, example, heading, page, paragraphs, subheading, title } from "./roff.ts";
import { cliEnvironment, systemFiles } from "./surroundings.ts";

/** streambro(1): every command as it is defined, and as its --help tells it. */
export const streambroPage = (version: string): string => {
  const program = describedProgram();
  const { sections, rest } = afterHelp(program);
  return page(
    title("streambro", 1, version, "tell streambrod what to stream, and ask how it goes"),
    heading("SYNOPSIS"),
    "\\fBstreambro\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]... [\\fINAME\\fR]...",
    heading("DESCRIPTION"),
    paragraphs(program.description()),
    optionsOf(program),
    heading("COMMANDS"),
    ...program
      .createHelp()
      .visibleCommands(program)
      .flatMap((one) => commandParts(one, "streambro")),
    ...sections.flatMap((section) => [heading(section.title), sectionBody(section)]),
    paragraphs(rest),
    heading("ENVIRONMENT"),
    ...cliEnvironment().map(([name, about]) => entry(name, about)),
    heading("FILES"),
    ...systemFiles().map(([name, about]) => entry(name, about)),
    heading("SEE ALSO"),
    "\\fBstreambrod\\fR(8), \\fBstreambro.yaml\\fR(5), \\fBffmpeg\\fR(1)",
  );
};

const commandParts = (command: Command, above: string): string[] => {
  // Commander's own: --help does the same.
  if (command.name() === "help") return [];
  const name = `${above} ${command.name()}`;
  const help = command.createHelp();
  const commands = help.visibleCommands(command);
  const { sections, rest } = afterHelp(command);
  const usage = help.commandUsage(command);
  return [
    subheading(usage),
    paragraphs(command.description()),
    optionsOf(command),
    ...sections.flatMap((section) => [`.PP\n${capitalised(section.title)}:`, sectionBody(section)]),
    rest === "" ? "" : paragraphs(rest),
    ...commands.flatMap((one) => commandParts(one, name)),
  ];
};

const optionsOf = (command: Command): string => {
  const help = command.createHelp();
  return help
    .visibleOptions(command)
    .map((option) => {
      const needed = option.mandatory ? "; it is needed" : "";
      return entry(option.flags, `${help.optionDescription(option)}${needed}`);
    })
    .join("\n");
};

const sectionBody = (section: Section): string =>
  section.title === "EXIT STATUS"
    ? // As one line: there is such a list for each command.
      `.RS 2\n${statusPairs(section)
        .map(([status, meaning]) => `${escaped(status)} ${escaped(meaning)}`)
        .join(";\n")}.\n.RE`
    : example(section.lines);

const capitalised = (text: string): string => text.slice(0, 1) + text.slice(1).toLowerCase();
