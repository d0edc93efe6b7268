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

type Ask = (line: string, socket?: string) => Promise<readonly string[]>;

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

/** What a shell offers after a line. */
const asker = async (shell: string, daemon: Daemon): Promise<Ask> => {
  const file = await script(shell);
  return async (line, socket = daemon.socket) => {
    const { stdout, stderr } = await command(shell, ARGUMENTS[shell]?.(file, line) ?? [], {
      env: surroundings(socket),
      cwd: scratch,
    });
    if (stderr.trim() !== "") throw new Error(`${line}: ${stderr}`);
    return stdout.split("\n").flatMap((one) => {
      const word = one.split("\t", 1)[0]?.trim() ?? "";
      return word === "" ? [] : [word];
    });
  };
};

/** As bash calls a completion function, its breaking of --x=y included; no bash-completion is loaded. */
const BASH = `. "$0"
COMP_LINE=$1 COMP_POINT=\${#1}
read -ra COMP_WORDS <<<"\${1//=/ = }"
[[ $1 != *' ' ]] || COMP_WORDS+=("")
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_streambro
printf '%s\\n' "\${COMPREPLY[@]}"`;

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
edge() { print -r -- '=====' }
compprefuncs=(edge)
comppostfuncs=(edge exit)
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
zpty -w -n shell "$2"$'\t'
zpty -r shell text '*=====*=====*' || exit 1
text=\${text#*=====} text=\${text%%=====*}
print -r -- "\${text//$'\r'/}"
zpty -d shell`;

const ARGUMENTS: Readonly<Record<string, (file: string, line: string) => string[]>> = {
  bash: (file, line) => ["--norc", "-c", BASH, file, line],
  zsh: (file, line) => ["-f", "-c", ZSH, "zsh", path.dirname(file), line],
  fish: (file, line) => [
    "--no-config",
    "-c",
    `source ${file}; complete -C '${line.replaceAll("'", "\\'")}'`,
  ],
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
      const offers = async (line: string, wanted: readonly string[]): Promise<void> =>
        void t.same([...new Set(await ask(line))].sort(), [...wanted].sort(), line);
      await offers("streambro sta", ["start", "status"]);
      await offers("streambro start ", ["radio", "rain"]);
      await offers("streambro limits s", ["set"]);
      await offers("streambro wait --for ", ["live", "stopped"]);
      t.ok((await ask("streambro add x --owner roo")).some((word) => word.startsWith("root")));
      t.match((await ask("streambro add x --input fil")).join(), /^films\/?$/);
      t.ok((await ask("streambro start --ti")).includes("--timeout"));
      t.same(await ask("streambro start ", path.join(scratch, "nobody")), [], "no daemon, no word");
      if (shell === "bash") {
        await offers("streambro start rad", ["radio"]);
        await offers("streambro show r", ["radio", "rain"]);
        await offers("streambro add r", []);
        await offers("streambro daemon re", ["reload"]);
        await offers("streambro completion ", ["bash", "zsh", "fish"]);
        await offers("streambro set radio --mode ", ["auto", "copy", "encode"]);
        await offers("streambro start radio ", ["rain"]);
        await offers("streambro set radio --mode=co", ["copy"]);
        await offers("streambro logs -n 5 ra", ["radio", "rain"]);
        await offers("streambro add x --input films/a", ["films/a b.mp4"]);
      }
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
