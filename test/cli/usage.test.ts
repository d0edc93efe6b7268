import tap from "tap";
import type { Daemon } from "../../cli/client/daemon.ts";
import { runProgram } from "../../cli/program.ts";

/** Runs a command line that should ask nothing of the daemon. */
const run = async (line: string) => {
  const asked: string[] = [];
  const said = { out: "", err: "" };
  const daemon: Daemon = {
    call: async (method) => {
      asked.push(method);
      return { ok: false, failure: { reason: "closed", socket: "/s", greeted: true } };
    },
    hungUp: async () => undefined,
    close: () => undefined,
  };
  const terminal = {
    out: (text: string) => void (said.out += `${text}\n`),
    err: (text: string) => void (said.err += `${text}\n`),
    columns: () => null,
    colour: () => false,
    cwd: () => "/home/anna",
    now: Date.now,
    readStdin: async () => Buffer.from(""),
    endWithReader: () => {},
    onInterrupt: () => undefined,
  };
  const surroundings = { terminal, daemon, version: "0", socket: () => "/unused" };
  const exit = await runProgram(
    line.split(" ").filter((word) => word !== ""),
    surroundings,
  );
  return { exit, asked, ...said };
};

void tap.test("command lines that are wrong", async (t) => {
  const cases: ReadonlyArray<readonly [string, number, RegExp]> = [
    ["", 2, /^Usage: streambro/],
    ["strat", 2, /unknown command 'strat'\n.*start/],
    ["start", 2, /name a stream, or use --all/],
    ["start a --all", 2, /not both/],
    ["start a --timeout 3s", 2, /give both/],
    ["start a --wait --timeout soon", 2, /30s/],
    ["start Radio", 78, /"Radio" cannot be a stream's name/],
    ["rm -- -rf", 78, /"-rf" cannot be a stream's name/],
    ["wait a", 2, /--for/],
    ["wait a --for lunch", 2, /live, stopped/],
    ["set a", 2, /nothing to change/],
    ["add a --input f", 2, /--to/],
    ["add a b --input f --to rtmp://a/l", 2, /too many arguments/],
    ["add a --input f --to rtmp://a/l --key-file k --key-stdin", 2, /not both/],
    ["set a --key=hunter2", 2, /unknown option '--key'/],
    ["logs a -n 1e9", 2, /whole number/],
    ["logs a -n 10001", 2, /10000/],
  ];
  for (const [line, exit, words] of cases) {
    const ran = await run(line);
    t.match(ran, { exit, out: "", err: words }, line);
    t.same(ran.asked, [], "nothing was asked of the daemon");
    t.notMatch(ran.err, "hunter2");
  }
});

void tap.test("help and version", async (t) => {
  t.match(await run("--version"), { exit: 0, out: "0\n", err: "" });
  t.match(await run("--help"), { exit: 0, out: /EXAMPLES[^]*EXIT STATUS[^]* 130 /, err: "" });
  for (const name of [
    "add",
    "start",
    "stop",
    "restart",
    "status",
    "ls",
    "show",
    "set",
    "logs",
    "history",
    "events",
    "wait",
    "rm",
    "limits",
    "limits set",
    "daemon status",
    "daemon config",
    "daemon reload",
    "daemon stop",
  ]) {
    t.match(await run(`${name} --help`), { exit: 0, out: /EXAMPLES[^]*EXIT STATUS/ }, name);
  }
});
