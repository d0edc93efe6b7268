import { ASK_NAMES, flatten } from "./model.ts";
import type { CommandModel, OptionModel, Value } from "./model.ts";

/** The script for fish. */
export const fishCompletion = (program: CommandModel): string => {
  const all = flatten(program);
  const groups = all.filter(({ path, commands }) => path !== "" && commands.length > 0);
  return `# fish completion for streambro, made by: streambro completion fish

function __streambro_path --description 'The command that was typed, with its subcommand'
    set -l typed (commandline -opc)
    set -l path
    for word in $typed[2..-1]
        string match -q -- '-*' $word; and continue
        set -a path $word
        contains -- "$path" ${groups.map(({ path }) => quoted(path)).join(" ")}; or break
    end
    echo "$path"
end

function __streambro_at
    set -l path (__streambro_path)
    test "$path" = "$argv"
end

function __streambro_streams
    ${ASK_NAMES}
end

complete -c streambro -f
${all.flatMap(linesOf).join("\n")}
`;
};

const linesOf = (command: CommandModel): string[] => {
  const { path, streams, commands, options } = command;
  const start = `complete -c streambro -n ${quoted(`__streambro_at ${path}`.trim())}`;
  return [
    ...commands.map(
      (one) => `${start} -a ${quoted(one.path.split(" ").at(-1) ?? "")} -d ${quoted(one.about)}`,
    ),
    ...(streams === 0 ? [] : [`${start} -a '(__streambro_streams)' -d stream`]),
    ...options.map((option) => `${start}${optionWords(option)}`),
  ];
};

const optionWords = ({ short, long, about, value }: OptionModel): string => {
  const letter = short === null ? "" : ` -s ${short.slice(1)}`;
  return `${letter} -l ${long.slice(2)}${valueWords(value)} -d ${quoted(about)}`;
};

const valueWords = (value: Value | null): string => {
  if (value === null) return "";
  if (value.kind === "words") return ` -x -a ${quoted(value.words.join(" "))}`;
  if (value.kind === "files") return " -r -F";
  if (value.kind === "own") return " -x";
  return value.suffix === ""
    ? " -x -a '(__fish_complete_users)'"
    : ` -x -a '(__fish_complete_users | string replace -r "(\\t|\\$)" "${value.suffix}\\$1")'`;
};

const quoted = (text: string): string =>
  `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
