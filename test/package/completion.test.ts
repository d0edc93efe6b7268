import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { flagsOf, flatten, modelOf } from "../../cli/completion/model.ts";
import { describedProgram } from "../../cli/program.ts";
import { command } from "../helpers/command.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { film } from "../helpers/film.ts";

const BIN = path.resolve(import.meta.dirname, "../../bin");
const scratch = mkdtempSync(path.join(os.tmpdir(), "sb-completion-"));
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
mkdirSync(path.join(scratch, "films"));
writeFileSync(path.join(scratch, "films/a b.mp4"), "");

const missing = (shell: string): string | false =>
  spawnSync(shell, ["-c", ":"]).status === 0 ? false : `completion: ${shell} is not installed`;

/** What is offered after each line. */
type Ask = (lines: readonly string[], socket?: string) => Promise<Map<string, string[]>>;

const surroundings = (socket: string): NodeJS.ProcessEnv => ({
  ...plainEnvironment(),
  PATH: `${BIN}:${process.env["PATH"] ?? ""}`,
  HOME: scratch,
  STREAMBRO_SOCKET: socket,
  TERM: "dumb",
});
const script = async (shell: string): Promise<string> => {
  const file = path.join(scratch, shell === "zsh" ? "_streambro" : `streambro.${shell}`);
  const { stdout } = await command(path.join(BIN, "streambro"), ["completion", shell], {
    env: surroundings("/nowhere"),
  });
  writeFileSync(file, stdout);
  return file;
};

const asker = async (shell: string, daemon: Daemon): Promise<Ask> => {
  const file = await script(shell);
  return async (lines, socket = daemon.socket) => {
    const options = { env: surroundings(socket), cwd: scratch };
    const asked = ARGUMENTS[shell]?.(file, lines) ?? [];
    const { stdout, stderr } = await command(shell, asked, options);
    if (stderr.trim() !== "") throw new Error(stderr);
    const answers = stdout.split("-----\n").map((answer) =>
      answer.split("\n").flatMap((one) => {
        const word = one.split("\t", 1)[0]?.trim() ?? "";
        return word === "" ? [] : [word];
      }),
    );
    return new Map(lines.map((line, at) => [line, [...new Set(answers[at])].sort()]));
  };
};

/** As bash calls a completion function, its breaking of --x=y included; no bash-completion is loaded. */
const BASH = `. "$0"
for line; do
  COMP_LINE=$line COMP_POINT=\${#line}
  read -ra COMP_WORDS <<<"\${line//=/ = }"
  [[ $line != *' ' ]] || COMP_WORDS+=("")
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _streambro
  printf '%s\\n' "\${COMPREPLY[@]}" -----
done`;

/** A real interactive zsh on a terminal of its own, whose `compadd` also prints what fits. */
const ZSH = `
zmodload zsh/zpty
cat >$1/init.zsh <<'END'
PS1= PS2=
fpath=($FOLDER $fpath)
autoload -Uz compinit
compinit -u -D
zstyle ':completion:*' insert-tab false
bindkey '^I' complete-word
# Both lists are emptied by each completion.
edge() { print -r -- '====='; compprefuncs=(edge) comppostfuncs=(edge) }
compprefuncs=(edge) comppostfuncs=(edge)
compadd() {
  if [[ " \${@[1,(i)(-|--)]} " == *' -'(O|A|D)' '* ]]; then
    builtin compadd "$@"
    return
  fi
  local -a hits
  builtin compadd -A hits "$@"
  (( $#hits )) && print -rl -- "\${hits[@]}"
}
print READY
END
export FOLDER=$1
zpty shell zsh -f -i
zpty -w shell ". $1/init.zsh"
zpty -r shell _ '*READY*' || exit 1
for line in "\${@:2}"; do
  # After what the line before has left.
  zpty -w -n shell $'\x15'"$line"$'\t'
  zpty -r shell text '*=====*=====*' || exit 1
  text=\${text#*=====} text=\${text%%=====*}
  print -rl -- "\${text//$'\r'/}" -----
done
zpty -d shell`;

const FISH = `source $argv[1]
for line in $argv[2..-1]
  complete -C $line
  echo -----
end`;

const ARGUMENTS: Readonly<
  Record<string, (file: string, lines: readonly string[]) => readonly string[]>
> = {
  bash: (file, lines) => ["--norc", "-c", BASH, file, ...lines],
  zsh: (file, lines) => ["-f", "-c", ZSH, "zsh", path.dirname(file), ...lines],
  fish: (file, lines) => ["--no-config", "-c", FISH, file, ...lines],
};

const OFFERED: Readonly<Record<string, readonly string[]>> = {
  "streambro sta": ["start", "status"],
  "streambro start ": ["radio", "rain"],
  "streambro start rad": ["radio"],
  "streambro show r": ["radio", "rain"],
  "streambro add r": [],
  "streambro daemon re": ["reload"],
  "streambro limits s": ["set"],
  "streambro completion ": ["bash", "fish", "zsh"],
  "streambro wait --for ": ["live", "stopped"],
  "streambro set radio --mode ": ["auto", "copy", "encode"],
};
/** Where the shells differ in what they leave out or add. */
const AMONG: Readonly<Record<string, RegExp>> = {
  "streambro add x --owner roo": /\broot\b/,
  "streambro add x --input fil": /^films\/?$/,
  "streambro start --ti": /--timeout/,
};
const OFFERED_BY_BASH: Readonly<Record<string, readonly string[]>> = {
  "streambro start radio ": ["rain"],
  "streambro set radio --mode=co": ["copy"],
  "streambro logs -n 5 ra": ["radio", "rain"],
  "streambro add x --input films/a": ["films/a b.mp4"],
};

t.test("each shell offers", async (t) => {
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  const input = await film();
  for (const name of ["radio", "rain"]) {
    const to = ["--input", input, "--to", `rtmp://127.0.0.1:9/live/${name}`];
    t.equal((await daemon.cli("add", name, ...to)).code, 0);
  }
  const model = modelOf(describedProgram());
  for (const shell of ["bash", "zsh", "fish"]) {
    await t.test(shell, { skip: missing(shell) }, async (t) => {
      const ask = await asker(shell, daemon);
      const exact = { ...OFFERED, ...(shell === "bash" ? OFFERED_BY_BASH : {}) };
      const offered = await ask([...Object.keys(exact), ...Object.keys(AMONG)]);
      for (const [line, wanted] of Object.entries(exact)) t.same(offered.get(line), wanted, line);
      for (const [line, wanted] of Object.entries(AMONG))
        t.match(offered.get(line)?.join("\n"), wanted, line);
      const start = "streambro start ";
      const alone = await ask([start], path.join(scratch, "nobody"));
      t.same(alone.get(start), [], "no daemon, no word");
    });
  }

  await t.test("every command and every option, in all three scripts", async (t) => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { stdout } = await daemon.cli("completion", shell);
      const typed = (flag: string): string =>
        shell === "fish" ? flag.replace(/^--/, "-l ").replace(/^-(?=\w$)/, "-s ") : flag;
      const absent = flatten(model).flatMap(({ path: of, options }) =>
        [of.split(" ").at(-1) ?? "", ...options.flatMap((one) => flagsOf(one)).map(typed)]
          .filter((word) => !stdout.includes(word))
          .map((word) => `${of} ${word}`),
      );
      t.same(absent, [], shell);
    }
  });
});

t.test("a daemon that does not answer is not waited for", async (t) => {
  const daemon = await startDaemon();
  t.teardown(() => daemon.end());
  process.kill(daemon.pid(), "SIGSTOP");
  const { code, stdout, stderr, ms } = await daemon.cli("completion", "names");
  process.kill(daemon.pid(), "SIGCONT");
  t.same({ code, stdout, stderr }, { code: 0, stdout: "", stderr: "" });
  t.ok(ms < 5_000, `${ms.toFixed(0)} ms, of which 800 are for the daemon`);
});
