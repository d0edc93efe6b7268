import { lstatSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { film } from "../helpers/film.ts";
import { leftovers } from "../helpers/processes.ts";
import { freePorts } from "../helpers/rtmp-config.ts";
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

/** Everything in it, and itself. */
const entries = function* (directory: string): Generator<string> {
  yield directory;
  for (const entry of orGone(() => readdirSync(directory, { withFileTypes: true })) ?? []) {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) yield* entries(file);
    else yield file;
  }
};
const files = (directory: string): string[] =>
  [...entries(directory)].filter((file) => orGone(() => lstatSync(file))?.isFile() === true);

t.test("stream keys", { timeout: 90_000 }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const [metricsPort = 0] = await freePorts(1);
  const metrics = `127.0.0.1:${metricsPort}`;
  const daemon = await startDaemon({ env: { LOG_LEVEL: "debug", METRICS_LISTEN: metrics } });
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
      ["show", "odd", "--command"],
      ["history", "--json"],
      ["metrics"],
      ["limits"],
      ["encoders", "--json"],
      ["daemon", "status", "--json"],
      ["daemon", "config", "--json"],
    ])
      await cli(...command);
    for (const name of Object.keys(KEYS)) await cli("logs", name, "-n", "1000");
    const running = leftovers(daemon.stateDir);
    t.ok(running.length >= 3, "FFmpeg runs while it is looked at");
    const environments = running.map(({ pid }) => textOf(`/proc/${pid}/environ`));
    const secrets = [...Object.values(KEYS), "tok-9f3e", "a%2Fb"];
    const places: [string, string][] = [
      ["argv of any process", allArgv()],
      ["what the CLI printed", shown.join("\n")],
      ["the daemon's log", daemon.log()],
      ["the environment of any process of its own", environments.join("\n")],
      ["the metrics", await (await fetch(`http://${metrics}/metrics`)).text()],
    ];
    for (const file of [...files(daemon.stateDir), ...files(daemon.runtimeDir)]) {
      if (file.startsWith(path.join(daemon.stateDir, "keys/"))) continue;
      // What FFmpeg reads them from, for as long as it runs.
      if (file.endsWith(".ffpreset")) continue;
      places.push([path.relative(daemon.dir, file), textOf(file)]);
    }
    t.ok(
      places.some(([place]) => place === "state/history.db"),
      "the history is among them",
    );
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

  t.test(
    "a copy of the state directory is readable by nobody else, nor is what runs",
    async (t) => {
      const all = [...entries(daemon.stateDir), ...entries(daemon.runtimeDir)];
      t.ok(all.length > 40, `${all.length} files and folders`);
      for (const file of all) {
        const found = orGone(() => lstatSync(file));
        if (found === null || found.isSymbolicLink()) continue;
        t.equal(found.mode & 0o007, 0, `${path.relative(daemon.dir, file)} is nothing to others`);
      }
      const state = (name: string): string => path.join(daemon.stateDir, name);
      // Users of the daemon are in its group: they are told of others' streams by the daemon alone.
      for (const name of ["keys", "streams", "memory", "logs", "locks"])
        t.equal(statSync(state(name)).mode & 0o777, 0o700, `${name} is the daemon's alone`);
      for (const name of [...files(state("keys")), state("history.db"), state("salt")])
        t.equal(statSync(name).mode & 0o777, 0o600, path.relative(daemon.dir, name));
    },
  );

  t.test("are written nowhere by a crash of FFmpeg", async (t) => {
    const running = leftovers(daemon.stateDir).filter(({ argv }) => argv[0]?.includes("ffmpeg"));
    t.ok(running.length >= 3);
    for (const { pid } of running)
      t.match(textOf(`/proc/${pid}/limits`), /^Max core file size +0 +0 /m);
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
