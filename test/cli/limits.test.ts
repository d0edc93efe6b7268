import tap from "tap";
import type { Answer } from "../../cli/client/answer.ts";
import { sentenceOf } from "../../cli/client/failure.ts";
import type { Failure } from "../../cli/client/failure.ts";
import { runProgram } from "../../cli/program.ts";
import { limitLines, overLines } from "../../cli/render/limits.ts";
import type { Limits } from "../../shared/contract/daemon.ts";
import type { MethodName } from "../../shared/contract/methods.ts";

const limits: Limits = {
  version: 1,
  enabled: true,
  perUser: 5,
  global: 20,
  users: { carl: 0, anna: 12 },
  origin: { perUser: "settings", global: "limits" },
  active: { global: 9, users: { bob: 2, anna: 7 } },
  waiting: [],
};

const refused = (code: string, message: string): Failure => ({
  reason: "refused",
  rpc: -1,
  code,
  message,
});

/** Runs one command line against one answer, a result or a failure. */
const run = async (line: string, reply: Limits | Failure = limits) => {
  const asked: unknown[] = [];
  const said = { out: "", err: "" };
  const daemon = {
    call: async <M extends MethodName>(method: M, params: object): Promise<Answer<M>> => {
      asked.push([method, params]);
      const answer: any =
        "reason" in reply ? { ok: false, failure: reply } : { ok: true, result: reply };
      return answer;
    },
    hungUp: async () => undefined,
    close: () => undefined,
  };
  const terminal = {
    out: (text: string) => void (said.out += `${text}\n`),
    err: (text: string) => void (said.err += `${text}\n`),
    columns: () => null,
    colour: () => false,
    cwd: () => "/",
    now: Date.now,
    readStdin: async () => Buffer.alloc(0),
    endWithReader: () => {},
    onInterrupt: () => undefined,
  };
  const surroundings = { terminal, daemon, version: "0", socket: () => "/unused" };
  return { exit: await runProgram(line.split(" "), surroundings), asked, ...said };
};

void tap.test("limits", async (t) => {
  t.same(limitLines(limits, null), [
    "per user   5  (setting)",
    "global    20  (limits set)",
    "anna      12  (limits set)",
    "carl       0  (limits set)",
    "",
    "OWNER  ACTIVE  LIMIT",
    "anna   7       12",
    "bob    2       5",
    "(all)  9       20",
  ]);
  const off = { ...limits, enabled: false, waiting: ["news", "radio"] };
  const lines = limitLines(off, null);
  t.match(lines[0], /^Limits are switched off \(LIMITER_ENABLED\)/);
  t.equal(lines.at(-1), "waiting for room: news, radio");
  for (const line of limitLines({ ...limits, users: { ["x".repeat(64)]: 1 } }, 40).slice(4))
    t.ok(line.length <= 40, line);
  t.match(limitLines({ ...limits, users: { "an\u001B[2Jna": 1 } }, null)[2], /^an\uFFFD\[2Jna/);

  const shown = await run("limits");
  t.match(shown, { exit: 0, err: "", asked: [["limits.get", {}]] });
  t.match(shown.out, "bob    2       5\n");
  t.same(JSON.parse((await run("limits --json")).out), limits);
  t.match(await run("limits -q"), { exit: 0, out: "", err: "" });
  t.match(await run("limits radio"), { exit: 2, asked: [] });
  t.match(await run("limits", { reason: "silent", socket: "/s", ms: 1_000 }), {
    exit: 124,
    out: "",
  });
});

void tap.test("limits set", async (t) => {
  const set = async (line: string): Promise<unknown> => (await run(`limits set ${line}`)).asked;
  t.same(await set("--per-user 8 --global 40"), [["limits.set", { perUser: 8, global: 40 }]]);
  t.same(await set("--per-user default --global 0"), [
    ["limits.set", { perUser: null, global: 0 }],
  ]);
  t.same(await set("--user anna=12 --user bob=default --user a=b=3"), [
    ["limits.set", { users: { anna: 12, bob: null, "a=b": 3 } }],
  ]);
  const bad = [
    "",
    "-q",
    "--json",
    "--per-user",
    "--per-user many",
    "--per-user -1",
    "--per-user 1.5",
    "--per-user 1e3",
    "--global 100001",
    "--user anna",
    "--user anna=",
    "--user =5",
    "--user anna=5 --user anna=6",
    "--user anna=-5",
    "5",
  ];
  for (const line of bad) {
    const ran = await run(`limits set ${line}`.trim());
    t.match(ran, { exit: 2, asked: [], out: "", err: /^streambro: ./ }, line);
  }
  t.match((await run("limits set --global x")).err, 'or "default" for what the settings say');

  const said = await run("limits set --user anna=12 --user bob=default");
  t.match(said, { exit: 0, out: "", err: "limits: 5 per user, 20 in all, anna 12, bob 5\n" });
  const lowered = { ...limits, global: 8, users: { anna: 3 } };
  t.same(overLines(limits), []);
  t.same(overLines({ ...lowered, enabled: false }), []);
  t.equal(
    (await run("limits set --global 8 --user anna=3", lowered)).err,
    "limits: 5 per user, 8 in all, anna 3\n" +
      "limits: what runs goes on, and no more starts: anna has 7 of 3, all have 9 of 8\n",
  );
  t.match(await run("limits set --global 8 -q", lowered), { exit: 0, out: "", err: "" });
  const json = await run("limits set --global 8 --json", lowered);
  t.same([JSON.parse(json.out), json.err], [lowered, ""]);
  const no = refused("NOT_PERMITTED", "only root and the daemon's own user may change limits.");
  const err = `limits: not changed: ${no.reason === "refused" ? no.message : ""}\n`;
  t.match(await run("limits set --global 8", no), { exit: 77, out: "", err });
});

void tap.test("advice stands on a line of its own, and passes for nobody's", async (t) => {
  const full =
    "lofi: not started: Maximum 5 concurrent streams reached for anna (global 12 of 20).";
  const refusal = refused("STREAM_LIMIT_EXCEEDED", `${full}\nStop one of: radio, news.`);
  const ran = await run("start lofi", refusal);
  t.match(ran, { exit: 75, out: "", err: `${full}\n      Stop one of: radio, news.\n` });
  const odd = sentenceOf(refused("INTERNAL", `a\r\u001B[1A\n${"b\n".repeat(50)}`));
  t.equal(odd, "a\uFFFD\uFFFD[1A\n      b\n      b\n      b");
});
