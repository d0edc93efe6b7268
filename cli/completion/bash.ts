import { ASK_NAMES, flagsOf, flatten } from "./model.ts";
import type { CommandModel, Value } from "./model.ts";

/** The script for bash; it needs no bash-completion, and no bash newer than 4. */
export const bashCompletion = (program: CommandModel): string => {
  const all = flatten(program);
  return `# bash completion for streambro, made by: streambro completion bash

# What stands after an option: 0 and kind, where it takes a value.
_streambro_value() {
	kind='' words=''
	case "$1 $2" in
${valueCases(all)}
	*) return 1 ;;
	esac
}

_streambro() {
	local cur=\${COMP_WORDS[COMP_CWORD]} prev='' path='' word kind words options='' streams='' at IFS=$' \\t\\n'
	local -a given=()
	COMPREPLY=()
	# Bash takes --mode=copy apart.
	if [[ $cur == = ]]; then
		cur='' prev=\${COMP_WORDS[COMP_CWORD - 1]}
	elif ((COMP_CWORD > 1)); then
		prev=\${COMP_WORDS[COMP_CWORD - 1]}
		[[ $prev != = ]] || prev=\${COMP_WORDS[COMP_CWORD - 2]}
	fi
	for ((at = 1; at < COMP_CWORD; at++)); do
		word=\${COMP_WORDS[at]}
		if [[ $word == -* ]]; then
			if _streambro_value "$path" "$word"; then
				[[ \${COMP_WORDS[at + 1]} != = ]] || ((at++))
				((at++))
			fi
			continue
		fi
		[[ $word != = ]] || continue
		case "\${path:+$path }$word" in
		${pathsOf(all)}) path="\${path:+$path }$word" ;;
		*) given+=("$word") ;;
		esac
	done
	if [[ $prev == -* ]] && _streambro_value "$path" "$prev"; then
		case $kind in
		words) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur") ;;
		files)
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			;;
		users) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
		counts)
			compopt -o nospace 2>/dev/null
			[[ $cur == *=* ]] || mapfile -t COMPREPLY < <(compgen -u -S = -- "$cur")
			;;
		esac
		return 0
	fi
	words=''
	case $path in
${commandCases(all)}
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		return 0
	fi
	if [[ $streams == any || ($streams == one && \${#given[@]} == 0) ]]; then
		for word in $(${ASK_NAMES}); do
			[[ " \${given[*]} " == *" $word "* ]] || words+=" $word"
		done
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _streambro streambro
`;
};

const pathsOf = (all: readonly CommandModel[]): string =>
  all.flatMap(({ path }) => (path === "" ? [] : [`'${path}'`])).join(" | ");

/** One line for each kind of value, with all options that take it. */
const valueCases = (all: readonly CommandModel[]): string => {
  const patterns = new Map<string, string[]>();
  for (const { path, options } of all) {
    for (const option of options) {
      if (option.value === null) continue;
      const kind = setting(option.value);
      const typed = flagsOf(option).map((flag) => `'${path} ${flag}'`);
      patterns.set(kind, [...(patterns.get(kind) ?? []), ...typed]);
    }
  }
  return [...patterns].map(([kind, flags]) => `\t${flags.join(" | ")}) ${kind} ;;`).join("\n");
};

const setting = (value: Value): string => {
  if (value.kind === "words") return `kind=words words='${value.words.join(" ")}'`;
  if (value.kind === "users") return value.suffix === "" ? "kind=users" : "kind=counts";
  return `kind=${value.kind}`;
};

const commandCases = (all: readonly CommandModel[]): string =>
  all
    .map(({ path, options, commands, streams }) => {
      const flags = options.flatMap((option) => flagsOf(option)).join(" ");
      const names = commands.map((one) => one.path.split(" ").at(-1) ?? "");
      const asked = streams === 0 ? "" : ` streams=${streams === 1 ? "one" : "any"}`;
      return `\t'${path}') options='${flags}' words='${names.join(" ")}'${asked} ;;`;
    })
    .join("\n");
