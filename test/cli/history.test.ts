import t from "tap";
import type { HistoryEntry } from "../../shared/contract/history.ts";
import type { Daemon } from "../../cli/client/daemon.ts";
import type { Failure } from "../../cli/client/failure.ts";
import type { Notice } from "../../cli/client/message.ts";
import { parsePast } from "../../cli/past.ts";
import { runProgram } from "../../cli/program.ts";

const AT = "2026-11-23T03:12:09.000Z";
const entry = (more: Partial<HistoryEntry>): HistoryEntry => ({
  ...{ id: 1, at: AT, stream: "radio", owner: "anna", kind: "state", from: "live", to: "backoff" },
  ...{ reason: "connection-refused", message: "a.example refused the connection; retry in 4.2 s" },
  ...{ by: null, details: {}, skipped: 0 },
  ...more,
});
const stopped = {
  ...{ name: "radio", state: "stopped", since: AT, input: "/f.mp4", position: null },
  ...{ lastError: null, retryAt: null, stopAt: null, note: null },
};
const unknown: Failure = {
  ...{ reason: "refused", rpc: -32004, code: "STREAM_NOT_FOUND" },
  message: "nope: there is no stream of this name.",
};

type Given = {
  readonly entries?: readonly HistoryEntry[];
  readonly more?: boolean;
  readonly notices?: readonly Notice[];
  readonly interrupt?: boolean;
};

/** Runs a command line against a daemon that knows of radio, and hangs up when it has said all. */
const run = async (line: string, { entries = [], more = false, ...given }: Given = {}) => {
  const asked: object[] = [];
  const said = { out: "", err: "" };
  const daemon: Daemon = {
    call: async (method, params, _, onNotice) => {
      asked.push(params);
      const { names = [] } = params as { names?: string[] };
      if (names.includes("nope")) return { ok: false, failure: unknown };
      const result: any =
        method === "history.list"
          ? { version: 1, entries, more }
          : { version: 1, sequence: 1, streams: [stopped] };
      for (const notice of given.notices ?? []) onNotice?.(notice);
      return { ok: true, result };
    },
    hungUp: async () => (given.interrupt === true ? new Promise(() => {}) : undefined),
    close: () => undefined,
  };
  const terminal = {
    out: (text: string) => void (said.out += `${text}\n`),
    err: (text: string) => void (said.err += `${text}\n`),
    columns: () => null,
    colour: () => false,
    cwd: () => "/",
    now: () => Date.parse("2026-11-23T12:00:00Z"),
    readStdin: async () => Buffer.from(""),
    endWithReader: () => {},
    onInterrupt: (then: () => void) => void (given.interrupt === true && then()),
  };
  const exit = await runProgram(line.split(" "), {
    ...{ terminal, daemon, version: "0", socket: () => "/unused" },
  });
  return { exit, asked, ...said };
};

/** The stamp of `AT` by this machine's clock. */
const local = new Date(Date.parse(AT) - new Date(AT).getTimezoneOffset() * 60_000)
  .toISOString()
  .replace("T", " ")
  .slice(0, 19);

t.test("history: a line for each thing that happened", async (t) => {
  const ran = await run("history radio", {
    entries: [
      entry({}),
      entry({
        kind: "state",
        from: "stopped",
        to: "starting",
        message: "asked to start",
        by: { uid: 1, user: "anna" },
      }),
      entry({ kind: "started", from: null, to: null, message: "started FFmpeg 7", skipped: 3 }),
      entry({
        kind: "daemon-lost",
        stream: null,
        from: null,
        to: null,
        message: "gone",
        details: { lastSeen: AT },
      }),
      entry({
        kind: "health",
        from: "stalled",
        to: "delivering",
        message: "media arrives",
        by: { uid: 5, user: null },
      }),
    ],
  });
  t.equal(
    ran.out,
    [
      `${local}  radio     live -> backoff        a.example refused the connection; retry in 4.2 s`,
      `${local}  radio     stopped -> starting    asked to start, by anna`,
      `${local}  radio     started                started FFmpeg 7 (3 changes before this one were too many to keep)`,
      `${local}  (daemon)  lost                   gone, last seen alive ${local}`,
      `${local}  radio     stalled -> delivering  health: media arrives, by uid 5`,
      "",
    ].join("\n"),
  );
  t.match(ran, { exit: 0, err: "", asked: [{ names: ["radio"], limit: 50 }] });
});

t.test("history: times, bounds and exit statuses", async (t) => {
  t.match(await run("history --since 7d -n 3"), {
    asked: [{ since: "2026-11-16T12:00:00.000Z", limit: 3 }],
    exit: 0,
    err: /nothing is remembered/,
  });
  t.match(await run("history --since 2026-11-01T00:00:00Z --until 2h"), {
    asked: [
      { since: "2026-11-01T00:00:00.000Z", until: "2026-11-23T10:00:00.000Z", limit: 10_000 },
    ],
  });
  for (const line of [
    "history --since lunch",
    "history --until -1",
    "history --since 1h --until 2h",
  ])
    t.match(await run(line), { exit: 2, asked: [], err: /--since|--until/ }, line);
  t.match(await run("history nope"), { exit: 4, out: "", err: /^nope: there is no stream/ });
  t.match(await run("history nope radio", { entries: [entry({})] }), {
    ...{ exit: 4, out: /radio {2}live -> backoff/, err: /^nope/ },
  });
  t.match(await run("history", { entries: [entry({})], more: true }), { err: /last 1; there are/ });
  t.match(await run("history -q", { entries: [entry({})] }), { exit: 0, out: "", err: "" });
  const { out } = await run("history --json", { entries: [entry({})], more: true });
  t.same(JSON.parse(out), { version: 1, entries: [entry({})], more: true });
});

t.test("history: nothing in it steers the terminal", async (t) => {
  const { out } = await run("history", { entries: [entry({ message: "a\u001B[2Jb" })] });
  t.notOk(out.includes("\u001B"));
});

t.test("--since means a time that lies behind", async (t) => {
  const now = new Date(2026, 10, 23, 12, 0, 0).getTime();
  const at = (...parts: [number, number, number, number]): string =>
    new Date(...parts).toISOString();
  t.equal(parsePast("03:00", now), at(2026, 10, 23, 3));
  t.equal(parsePast("23:00", now), at(2026, 10, 22, 23));
  t.equal(parsePast("2026-11-20", now), at(2026, 10, 20, 0));
  t.equal(parsePast("90m", now), at(2026, 10, 23, 10).replace(":00:00", ":30:00"));
  t.equal(parsePast("yesterday", now), null);
});

t.test("events", async (t) => {
  const happened = { method: "event", params: entry({}) };
  t.match(await run("events"), { exit: 0, out: `${local}  radio  stopped\n`, err: "" });
  t.match(await run("events -f", { notices: [happened] }), {
    exit: 69,
    out: `${local}  radio  stopped\n${local}  radio  live -> backoff  a.example refused the connection; retry in 4.2 s\n`,
    err: /daemon has gone/,
  });
  const lines = (await run("events -f --json", { notices: [happened] })).out.trim().split("\n");
  t.match(
    lines.map((line) => JSON.parse(line)),
    [
      { version: 1, type: "status", sequence: 1, status: { name: "radio" } },
      { version: 1, type: "event", event: entry({}) },
    ],
  );
  const word = (method: string): Notice => ({ method, params: { message: "because" } });
  t.match(await run("events -f", { notices: [word("dropped")] }), { exit: 1, err: /because/ });
  t.match(await run("events -f", { notices: [word("ended")] }), { exit: 69, err: /because/ });
  t.match(await run("events -f -q", { interrupt: true }), { exit: 130, out: "", err: "" });
  t.match(await run("events -f nope"), { exit: 4, err: /^nope: there is no stream/ });
  t.match(await run("events Radio"), { exit: 78, asked: [] });
});
