import type { Command, Option } from "commander";

/** What can stand where a value is asked for. */
export type Value =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "files" }
  | { readonly kind: "users"; readonly suffix: string }
  /** Something of the user's own: a number, a time, a URL. */
  | { readonly kind: "own"; readonly called: string };

export type OptionModel = {
  readonly short: string | null;
  readonly long: string;
  readonly about: string;
  /** Null where the option takes none. */
  readonly value: Value | null;
};

export type CommandModel = {
  /** Without the program's own name: "start", "limits set"; empty for the program itself. */
  readonly path: string;
  readonly about: string;
  readonly options: readonly OptionModel[];
  /** How many names of streams there are that it takes: none, one, or any number. */
  readonly streams: 0 | 1 | "any";
  /** What is to be typed that nobody can know: a new stream's name. */
  readonly own: string | null;
  readonly commands: readonly CommandModel[];
};

/** Whose argument is called `name` too, and is a new stream's. */
const NAMES_ANEW = ["add"];

/** Everything that a shell can offer, as the commands themselves define it. */
export const modelOf = (command: Command, path = ""): CommandModel => {
  const help = command.createHelp();
  const [argument] = command.registeredArguments;
  const takesStreams = argument?.name() === "name" && !NAMES_ANEW.includes(path);
  const commands = help
    .visibleCommands(command)
    // Commander's own `help` is no command of ours: --help does the same.
    .filter((one) => one.name() !== "help")
    .map((one) => modelOf(one, `${path} ${one.name()}`.trim()));
  return {
    path,
    about: oneLine(command.summary() === "" ? command.description() : command.summary()),
    options: help.visibleOptions(command).map(optionModel),
    own: argument === undefined || takesStreams ? null : argument.name(),
    streams: takesStreams ? (argument.variadic ? "any" : 1) : 0,
    commands,
  };
};

const optionModel = (option: Option): OptionModel => ({
  short: option.short ?? null,
  long: option.long ?? "",
  about: oneLine(option.description),
  value: option.required || option.optional ? valueOf(option) : null,
});

const valueOf = ({ flags, argChoices }: Option): Value => {
  if (argChoices !== undefined) return { kind: "words", words: argChoices };
  const [, called = "value"] = /[<[]([^>\]]+)[>\]]/.exec(flags) ?? [];
  if (called === "file") return { kind: "files" };
  if (called === "user") return { kind: "users", suffix: "" };
  if (called === "name=count") return { kind: "users", suffix: "=" };
  return { kind: "own", called };
};

const oneLine = (text: string): string => text.split("\n", 1)[0] ?? "";

/** A command and all below it. */
export const flatten = (model: CommandModel): readonly CommandModel[] => [
  model,
  ...model.commands.flatMap(flatten),
];

/** As typed: -f and --follow. */
export const flagsOf = ({ short, long }: OptionModel): readonly string[] =>
  short === null ? [long] : [short, long];

/** What the completions ask the daemon for names with. */
export const ASK_NAMES = "streambro completion names 2>/dev/null";
