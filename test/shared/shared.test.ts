import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { ERRORS, EXIT, StreamBroError } from "../../shared/errors.ts";
import { FrameReader } from "../../shared/frames.ts";
import { clientSocket, daemonDirectories } from "../../shared/paths.ts";
import { isStreamName, printable, streamNameRule } from "../../shared/stream-name.ts";

const seeded = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

/** What comes out of a reader that is fed `bytes` in pieces. */
const framed = (bytes: Buffer, most: number, size: () => number): string[] => {
  const out: string[] = [];
  const reader = new FrameReader(most);
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + size());
    reader.push(
      bytes.subarray(at, end),
      (line) => out.push(line),
      () => out.push("TOO LONG"),
    );
    at = end;
  }
  return out;
};

t.test("frames come out the same however they were cut", async (t) => {
  const random = seeded(3);
  const most = 20;
  for (let round = 0; round < 2_000; round += 1) {
    const lines = Array.from({ length: Math.floor(random() * 8) }, () => {
      const length = Math.floor(random() * 26);
      return Array.from({ length }, () => "ab é€😀 "[Math.floor(random() * 5)]).join("");
    });
    const expected = lines
      .map((line) => (Buffer.byteLength(line) > most ? "TOO LONG" : line.trim()))
      .filter((line) => line !== "");
    const half = random() < 0.5 ? "half" : "";
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join("") + half);
    const found = framed(bytes, most, () => 1 + Math.floor(random() * 9));
    if (JSON.stringify(found) !== JSON.stringify(expected))
      t.same(found, expected, `round ${round}`);
  }
  const edge = (length: number): string[] =>
    framed(Buffer.from(`${"x".repeat(length)}\nok\n`), 20, () => 7);
  t.same(edge(20), ["x".repeat(20), "ok"]);
  t.same(edge(21), ["TOO LONG", "ok"]);
  t.same(
    framed(Buffer.from("x".repeat(10_000)), 20, () => 3),
    ["TOO LONG"],
    "said once, before its end",
  );
  t.same(
    framed(Buffer.from("\n\r\n \n\u00A0\n{}\r\n"), 20, () => 2),
    ["{}"],
  );
  t.same(
    framed(Buffer.from([0xff, 0xfe, 0x7b, 10]), 20, () => 1),
    ["\uFFFD\uFFFD{"],
    "not UTF-8",
  );
});

t.test("a frame that drips in costs about what it holds", async (t) => {
  const most = 1 << 20;
  const reader = new FrameReader(most);
  const used = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const before = used();
  for (let n = 0; n < most; n += 1)
    reader.push(
      Buffer.from([97]),
      () => {},
      () => {},
    );
  const grown = used() - before;
  t.ok(grown < 48 * most, `${Math.round(grown / most)} times the bound`);
  let length = 0;
  reader.push(
    Buffer.from("\n"),
    (line) => (length = line.length),
    () => {},
  );
  t.equal(length, most);
});

t.test("stream names", async (t) => {
  for (const name of ["a", "0", "radio", "a.b", "a..", "x-_.", "a".repeat(63)])
    t.ok(isStreamName(name), name);
  const bad = [
    "",
    "A",
    ".a",
    "-a",
    "_a",
    "a".repeat(64),
    "a b",
    "a/b",
    "../a",
    "a\n",
    "\na",
    "ä",
    "a\0",
    "a@1",
    "all*",
    "é",
  ];
  for (const name of bad) {
    t.notOk(isStreamName(name), JSON.stringify(name));
    t.match(streamNameRule(name), /^"[^\p{Cc}]*" cannot be a stream's name: .*\.$/u);
  }
  t.equal(printable("a\u001B[2J\u200Eb\u2028c\u009B"), "a\uFFFD[2J\uFFFDb\uFFFDc\uFFFD");
  t.equal(printable("x".repeat(500)).length, 201);
  t.equal(printable("xyz", 2), "xy…");
});

const home = mkdtempSync(path.join(tmpdir(), "streambro-home-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));

t.test("where things are", async (t) => {
  const system = {
    config: "/etc/streambro/streambro.yaml",
    state: "/var/lib/streambro",
    runtime: "/run/streambro",
    socket: "/run/streambro/streambro.sock",
  };
  t.same(daemonDirectories({}, 0, "/root"), system);
  t.same(
    daemonDirectories({ XDG_STATE_HOME: "/x", XDG_RUNTIME_DIR: "/y" }, 0, "/root"),
    system,
    "root is the system's",
  );
  const uid = 54_321;
  const user = {
    config: `${home}/.config/streambro/streambro.yaml`,
    state: `${home}/.local/state/streambro`,
    runtime: `${home}/.local/state/streambro/run`,
    socket: `${home}/.local/state/streambro/run/streambro.sock`,
  };
  t.same(daemonDirectories({}, uid, home), user, "no login session");
  t.same(
    daemonDirectories({ XDG_STATE_HOME: "", XDG_RUNTIME_DIR: "", STREAMBRO_SOCKET: "" }, uid, home),
    user,
    "empty is not set",
  );
  t.same(
    daemonDirectories(
      { XDG_STATE_HOME: "/s", XDG_RUNTIME_DIR: home, XDG_CONFIG_HOME: "/c" },
      uid,
      "/h",
    ),
    {
      config: "/c/streambro/streambro.yaml",
      state: "/s/streambro",
      runtime: `${home}/streambro`,
      socket: `${home}/streambro/streambro.sock`,
    },
  );
  t.equal(
    daemonDirectories({ XDG_RUNTIME_DIR: `${home}/gone` }, uid, home).runtime,
    user.runtime,
    "a session that has ended",
  );
  const own = {
    STREAMBRO_STATE_DIR: "/1",
    STREAMBRO_RUNTIME_DIR: "/2",
    STREAMBRO_SOCKET: "/3/s",
    STREAMBRO_CONFIG: "/4/c",
  };
  const systemd = {
    STATE_DIRECTORY: "/5",
    RUNTIME_DIRECTORY: "/6",
    CONFIGURATION_DIRECTORY: "/7",
  };
  for (const [who, at] of [
    [0, "/root"],
    [uid, home],
  ] as const) {
    const base = daemonDirectories({}, who, at);
    for (let chosen = 0; chosen < 128; chosen += 1) {
      const all = Object.entries({ ...own, ...systemd });
      const env = Object.fromEntries(all.filter((_, bit) => (chosen & (1 << bit)) !== 0));
      const state = env["STREAMBRO_STATE_DIR"] ?? env["STATE_DIRECTORY"] ?? base.state;
      const runtime = env["STREAMBRO_RUNTIME_DIR"] ?? env["RUNTIME_DIRECTORY"] ?? base.runtime;
      const served = "CONFIGURATION_DIRECTORY" in env ? "/7/streambro.yaml" : base.config;
      const expected = {
        config: env["STREAMBRO_CONFIG"] ?? served,
        state,
        runtime,
        socket: env["STREAMBRO_SOCKET"] ?? `${runtime}/streambro.sock`,
      };
      const found = daemonDirectories(env, who, at);
      if (JSON.stringify(found) !== JSON.stringify(expected))
        t.same(found, expected, JSON.stringify(env));
      const client = Object.fromEntries(
        Object.entries(env).filter(([name]) => name.startsWith("STREAMBRO_")),
      );
      const told =
        client["STREAMBRO_SOCKET"] !== undefined || client["STREAMBRO_RUNTIME_DIR"] !== undefined;
      if (told)
        t.equal(
          clientSocket(client, who, at),
          daemonDirectories(client, who, at).socket,
          "both sides agree",
        );
    }
  }
  t.equal(
    daemonDirectories({ STREAMBRO_STATE_DIR: "rel" }, 0, "/").state,
    path.resolve("rel"),
    "absolute",
  );
  t.equal(clientSocket({}, 0, "/root"), system.socket);
  if (!existsSync(system.runtime)) {
    t.equal(clientSocket({}, uid, home), user.socket, "as under cron");
    t.equal(clientSocket({ XDG_RUNTIME_DIR: home }, uid, home), `${home}/streambro/streambro.sock`);
  }
});

const system = "/run/streambro";
const noSystem = existsSync(system) ? "a system's daemon runs here" : false;

t.test("a user's daemon is found wherever it began", { skip: noSystem }, async (t) => {
  const root = mkdtempSync(path.join(tmpdir(), "sb-paths-"));
  t.teardown(() => rmSync(root, { recursive: true }));
  for (const [login, inLogin, inState, found] of [
    // Is there a login session's directory, a socket in it, one in the state directory.
    [false, false, false, "state"],
    [false, false, true, "state"],
    [true, false, false, "login"],
    [true, true, false, "login"],
    [true, false, true, "state"],
    [true, true, true, "login"],
  ] as const) {
    const home = mkdtempSync(path.join(root, "home-"));
    const sockets = {
      login: `${home}/login/streambro/streambro.sock`,
      state: `${home}/.local/state/streambro/run/streambro.sock`,
    };
    if (login) mkdirSync(`${home}/login`);
    for (const [there, file] of [
      [inLogin, sockets.login],
      [inState, sockets.state],
    ] as const) {
      if (!there) continue;
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, "");
    }
    const env = { XDG_RUNTIME_DIR: `${home}/login` };
    t.equal(clientSocket(env, 54_321, home), sockets[found], `${login} ${inLogin} ${inState}`);
  }
});

t.test("while the service is started again its socket is still the system's", async (t) => {
  const home = mkdtempSync(path.join(tmpdir(), "sb-paths-"));
  t.teardown(() => rmSync(home, { recursive: true }));
  const env = { XDG_RUNTIME_DIR: home };
  const runtime = `${home}/run`;
  const service = { runtime, socket: `${runtime}/streambro.sock` };
  const own = `${home}/streambro/streambro.sock`;
  const found = (): string => clientSocket(env, 54_321, home, service);
  t.equal(found(), own, "there is no service");
  mkdirSync(runtime);
  t.equal(found(), service.socket, "there is one, which does not answer just now");
  mkdirSync(path.dirname(own));
  writeFileSync(own, "");
  t.equal(found(), own, "somebody has a daemon of their own");
  writeFileSync(service.socket, "");
  t.equal(found(), service.socket, "the service is back");
});

t.test("the table of errors", async (t) => {
  const rows = Object.entries(ERRORS);
  t.equal(new Set(rows.map(([, { rpc }]) => rpc)).size, rows.length, "numbers are unique");
  for (const [code, { rpc, exit }] of rows) {
    t.match(code, /^[A-Z_]+$/);
    t.ok(
      (rpc <= -32_000 && rpc >= -32_099) || rpc === -32_603,
      `${code}: in the range left to applications`,
    );
    t.ok(
      Object.values<number>(EXIT).includes(exit) && exit > EXIT.ok,
      `${code}: a documented exit status`,
    );
  }
  const statuses = Object.values(EXIT);
  t.equal(new Set(statuses).size, statuses.length);
  const error = new StreamBroError("INVALID_SPEC", "no", { field: "to" });
  t.match(error, {
    name: "StreamBroError",
    code: "INVALID_SPEC",
    message: "no",
    details: { field: "to" },
  });
});
