import { ASK_NAMES } from "./model.ts";
import type { CommandModel, OptionModel, Value } from "./model.ts";

/** The script for zsh: as a file of fpath, or read by `source <(...)`. */
export const zshCompletion = (program: CommandModel): string => `#compdef streambro
# zsh completion for streambro, made by: streambro completion zsh

_streambro_streams() {
  local -a names
  names=(\${(f)"$(${ASK_NAMES})"})
  (( $#names )) && compadd "$@" -a names
}

_streambro_counts() { _users -S = "$@" }

${functionsOf(program).join("\n\n")}

if [[ $funcstack[1] == _streambro ]]; then
  _streambro "$@"
else
  compdef _streambro streambro
fi
`;

const nameOf = ({ path }: CommandModel): string =>
  `_streambro${path === "" ? "" : `_${path.replaceAll(" ", "_")}_`}`;

const functionsOf = (command: CommandModel): string[] => {
  const { commands, options } = command;
  const specs = options.map(optionSpec);
  if (commands.length === 0) {
    return [
      `${nameOf(command)}() {\n  _arguments -s ${[...specs, ...argumentSpec(command)].join(" \\\n    ")}\n}`,
    ];
  }
  const words = commands.map(({ path, about }) =>
    quoted(
      `${path.split(" ").at(-1) ?? ""}:${about.replaceAll("\\", "\\\\").replaceAll(":", "\\:")}`,
    ),
  );
  const cases = commands.map(
    (one) => `    ${one.path.split(" ").at(-1) ?? ""}) ${nameOf(one)} && ret=0 ;;`,
  );
  const own = `${nameOf(command)}() {
  local curcontext=$curcontext state line ret=1
  local -a commands
  typeset -A opt_args
  _arguments -C -s ${[...specs, "'1: :->command'", "'*:: :->rest'"].join(" \\\n    ")} && ret=0
  case $state in
  command)
    commands=(${words.join(" ")})
    _describe -t commands command commands && ret=0
    ;;
  rest)
    case $words[1] in
${cases.join("\n")}
    esac
    ;;
  esac
  return ret
}`;
  return [...commands.flatMap(functionsOf), own];
};

const argumentSpec = ({ streams, own }: CommandModel): string[] => {
  if (streams === "any") return ["'*:stream:_streambro_streams'"];
  if (streams === 1) return ["'1:stream:_streambro_streams'"];
  return own === null ? [] : [quoted(`1:${own}: `)];
};

const optionSpec = ({ short, long, about, value }: OptionModel): string => {
  const told = about.replace(/[[\]:\\]/g, "\\$&");
  const after = value === null ? "" : `:${actionOf(value)}`;
  const repeated = value?.kind === "users" && value.suffix !== "" ? "*" : "";
  const text = `[${told}]${after}`;
  const taken = value === null ? "" : "=";
  if (short === null) return quoted(`${repeated}${long}${taken}${text}`);
  return `'(${short} ${long})'{${short}${value === null ? "" : "+"},${long}${taken}}${quoted(text)}`;
};

const actionOf = (value: Value): string => {
  if (value.kind === "words") return `value:(${value.words.join(" ")})`;
  if (value.kind === "files") return "file:_files";
  if (value.kind === "users") return value.suffix === "" ? "user:_users" : "user:_streambro_counts";
  return `${value.called}: `;
};

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
