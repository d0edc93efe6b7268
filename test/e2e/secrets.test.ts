import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { film } from "../helpers/film.ts";
import { leftovers } from "../helpers/processes.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

/** Distinct, and hostile to whatever parses it: quotes, equals, backslash, colon, percent, comma. */
const KEYS = {
  plain: "live_secret-6b1f0a2c",
  token: "show-77d2?token=tok-9f3e&sig=a%2Fb",
  odd: `q'u"o=t\\e:s,6e%d#1;`,
  refused: "refused-5d0c1e88",
} as const;

/** A stream that is tried again and again, and the daemon's saving, make files come and go. */
const orGone = <T>(look: () => T): T | null => {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
};
const textOf = (file: string): string => orGone(() => readFileSync(file, "utf8")) ?? "";

const files = function* (directory: string): Generator<string> {
  for (const entry of orGone(() => readdirSync(directory, { withFileTypes: true })) ?? []) {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) yield* files(file);
    else if (entry.isFile()) yield file;
  }
};

t.test("stream keys", { timeout: 90_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const daemon = await startDaemon({ env: { LOG_LEVEL: "debug" } });
  t.teardown(() => daemon.end());
  const source = await film();
  const shown: string[] = [];
  const cli = async (...args: string[]): ReturnType<Daemon["cli"]> => {
    const done = await daemon.cli(...args);
    shown.push(done.stdout, done.stderr);
    return done;
  };
  const keyFile = (key: string): string => {
    const file = path.join(daemon.dir, "key");
    writeFileSync(file, `${key}\n`);
    return file;
  };

  t.equal(
    (await cli("add", "plain", "--input", source, "--to", `${server.url}/${KEYS.plain}`)).code,
    0,
  );
  t.equal(
    (
      await cli(
        "add",
        "token",
        "--input",
        source,
        "--to",
        server.url,
        "--key-file",
        keyFile(KEYS.token),
      )
    ).code,
    0,
  );
  const odd = await daemon.cliWith(
    { stdin: `${KEYS.odd}\n` },
    "add",
    "odd",
    "--input",
    source,
    "--to",
    server.url,
    "--key-stdin",
  );
  t.equal(odd.code, 0, odd.stderr);
  t.equal(
    (await cli("add", "refused", "--input", source, "--to", `${server.closedUrl}/${KEYS.refused}`))
      .code,
    0,
  );
  await cli("start", "plain", "token", "odd", "--wait");
  await cli("start", "refused");
  await until(
    "the refused one was refused",
    async () => (await daemon.rpc("stream.status", { names: ["refused"] })).streams[0]?.lastExit,
    20_000,
  );

  t.test("arrive whole at the server", async (t) => {
    const names = (await server.stats()).streams
      .filter(({ publishers }) => publishers > 0)
      .map(({ name }) => name);
    t.same(names.sort(), [KEYS.plain, KEYS.odd, "show-77d2"].sort());
  });

  t.test("are nowhere else", async (t) => {
    // Errors too: a name that is taken, a key that is too long, a bad URL with a key in it.
    await cli("add", "plain", "--input", source, "--to", `${server.url}/${KEYS.plain}`);
    await cli("set", "plain", "--to", `rtmp://user:${KEYS.plain}@127.0.0.1/live`);
    await cli("set", "plain", "--to", `http://127.0.0.1/live/${KEYS.plain}`);
    for (const command of [
      ["ls"],
      ["status", "--json"],
      ["show", "plain"],
      ["show", "token", "--json"],
      ["daemon", "status", "--json"],
    ])
      await cli(...command);
    for (const name of Object.keys(KEYS)) await cli("logs", name, "-n", "1000");
    const argv = leftovers(daemon.stateDir).map((process) => process.argv.join("\n"));
    t.ok(argv.length >= 3, "FFmpeg runs while it is looked at");
    const secrets = [...Object.values(KEYS), "tok-9f3e", "a%2Fb"];
    const places: [string, string][] = [
      ["argv of any process", allArgv()],
      ["what the CLI printed", shown.join("\n")],
      ["the daemon's log", daemon.log()],
    ];
    for (const file of files(daemon.stateDir)) {
      if (file.startsWith(path.join(daemon.stateDir, "keys/"))) continue;
      places.push([path.relative(daemon.dir, file), textOf(file)]);
    }
    for (const [place, text] of places) {
      for (const secret of secrets)
        t.notOk(text.includes(secret), `${place} has no ${secret.slice(0, 4)}...`);
    }
  });

  t.test("lie where only the daemon's user can read them", async (t) => {
    const holders = [...files(daemon.stateDir), ...files(daemon.runtimeDir)].filter((file) => {
      const text = textOf(file);
      return Object.values(KEYS).some(
        (key) => text.includes(JSON.stringify(key).slice(1, -1)) || text.includes(key),
      );
    });
    t.ok(holders.length >= 4, "the search finds them");
    for (const file of holders) {
      const [own, around] = [file, path.dirname(file)].map((one) =>
        orGone(() => statSync(one).mode),
      );
      const name = path.relative(daemon.dir, file);
      t.equal((own ?? 0) & 0o077, 0, `${name} is for its owner alone`);
      t.equal((around ?? 0) & 0o077, 0, "and so is its directory");
    }
    t.equal(statSync(daemon.socket).mode & 0o777, 0o660);
  });

  t.test("go when the stream stops, and when it is removed", async (t) => {
    await cli("stop", "--all", "--wait");
    await until(
      "the run directories are gone",
      () => String(readdirSync(path.join(daemon.runtimeDir, "runs"))) === ".state",
      5_000,
    );
    t.equal((await cli("rm", "--all")).code, 0);
    const left = [...files(daemon.stateDir)]
      .map((file) => path.basename(file))
      // Which encoders work, and what was counted: no stream's, and written in the background.
      .filter((name) => name !== "encoders.json" && name !== "metrics.json")
      // What happened is meant to stay.
      .filter((name) => !name.startsWith("history.db"));
    t.same(left.sort(), ["daemon.lock", "salt"], "rm leaves no file behind");
  });
});

const allArgv = (): string =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map((entry) => {
      try {
        return readFileSync(`/proc/${entry}/cmdline`, "utf8");
      } catch {
        return "";
      }
    })
    // The test's own children, streambro with --to, are over by now.
    .join("\n");
