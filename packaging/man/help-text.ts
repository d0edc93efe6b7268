import type { Command } from "commander";

/** A part of a help text that begins with a line in capitals, such as EXAMPLES; lines not indented. */
export type Section = { readonly title: string; readonly lines: readonly string[] };

/**
 * What a command's help says below its options, as it prints it: sections, and the paragraphs that
 * belong to none.
 */
export const afterHelp = (command: Command): { sections: Section[]; rest: string } => {
  let printed = "";
  command.configureOutput({
    writeOut: (text) => {
      printed += text;
    },
    getOutHelpWidth: () => 1000,
  });
  const above = command.helpInformation();
  command.outputHelp();
  if (!printed.startsWith(above))
    throw new Error(`the help of ${command.name()} is not understood`);
  const sections: Section[] = [];
  const rest: string[] = [];
  let current: string[] | null = null;
  for (const line of printed.slice(above.length).split("\n")) {
    if (/^[A-Z][A-Z ]+$/.test(line)) {
      current = [];
      sections.push({ title: line, lines: current });
    } else if (current !== null && line.startsWith("  ")) current.push(line.slice(2));
    else {
      current = null;
      rest.push(line);
    }
  }
  return { sections, rest: rest.join("\n").trim() };
};

/** The lines of "  3  what it means" as pairs. */
export const statusPairs = ({ lines }: Section): readonly (readonly [string, string])[] =>
  lines.map((line) => {
    const [, status = "", meaning = ""] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    return [status, meaning] as const;
  });
