import { messageOf } from "./log/message-of.ts";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { EXIT } from "../shared/errors.ts";
import { daemonDirectories } from "../shared/paths.ts";
import { printable } from "../shared/stream-name.ts";
import { loadSettings } from "./config/load.ts";
import { Daemon } from "./daemon.ts";
import { type Log, stdoutLog } from "./log/log.ts";

const HELP = `Usage: streambrod [--config FILE]

Runs in the foreground, keeps streams on the air and answers streambro on a Unix socket.
It logs one JSON object a line to its standard output. SIGTERM and SIGINT stop the streams
and end it; streams that were running run again after its next start. Killed in any other
way it leaves them on the air, and the next one takes them over.

  --config FILE   settings (YAML); default: /etc/streambro/streambro.yaml for root,
                  else ~/.config/streambro/streambro.yaml
  --version       the version
  --help          this text

Environment: STREAMBRO_SOCKET, STREAMBRO_STATE_DIR, STREAMBRO_RUNTIME_DIR, STREAMBRO_CONFIG,
and every setting by its name, such as FORCE_KILL_TIMEOUT_MS=5000 (see docs/settings.md).

Exit status: 0 ended as asked, 1 could not start, 2 usage, 78 invalid setting.
`;

/** This release, as package.json has it; daemon/ and dist/ both lie directly below that. */
const version = (): string => {
  const manifest = JSON.parse(
    readFileSync(path.join(import.meta.dirname, "../package.json"), "utf8"),
  );
  return String(manifest.version);
};

const say = (sentence: string): void => void process.stderr.write(`streambrod: ${sentence}\n`);

const readArguments = (): { config?: string; help?: boolean; version?: boolean } | string => {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: "string" },
        help: { type: "boolean" },
        version: { type: "boolean" },
      },
    });
    return values;
  } catch (error) {
    return messageOf(error);
  }
};

/** The log, as soon as its level is known. */
let known: Log | null = null;

const main = async (): Promise<number> => {
  const given = readArguments();
  if (typeof given === "string") {
    say(`${given}. See: streambrod --help`);
    return EXIT.usage;
  }
  if (given.help === true || given.version === true) {
    process.stdout.write(given.help === true ? HELP : `${version()}\n`);
    return EXIT.ok;
  }
  const directories = daemonDirectories(process.env, process.getuid?.() ?? 0, homedir());
  const config = given.config === undefined ? directories.config : path.resolve(given.config);
  const named = given.config !== undefined || (process.env["STREAMBRO_CONFIG"] ?? "") !== "";
  const loaded = loadSettings(config, named, process.env);
  if (!loaded.ok) {
    say(loaded.message);
    return EXIT.invalid;
  }
  process.umask(0o027);
  const log = stdoutLog(loaded.settings.LOG_LEVEL);
  known = log;
  const starting = Daemon.start({
    directories,
    settings: loaded.settings,
    log,
    version: version(),
    runner: path.join(import.meta.dirname, "runner.sh"),
    signals: process,
  });
  const early = heedEarly(log);
  const started = await starting;
  if (!started.ok) {
    say(started.message);
    return EXIT.failed;
  }
  const { shutdown } = started.daemon;
  shutdown.registerHandlers();
  const asked = early.take();
  if (asked !== null) void shutdown.shutdown(asked);
  await started.daemon.ended;
  return EXIT.ok;
};

/** Takes signals from the first moment on: one that comes during the start is heeded after it. */
const heedEarly = (log: Log): { take(): NodeJS.Signals | null } => {
  let asked: NodeJS.Signals | null = null;
  const note = (signal: NodeJS.Signals): void => {
    asked ??= signal;
  };
  const signals = ["SIGTERM", "SIGINT"] as const;
  for (const signal of signals) process.on(signal, note);
  // A terminal that closes takes nothing off the air.
  process.on("SIGHUP", () =>
    log.info({ event: "signal", signal: "SIGHUP" }, "SIGHUP: the daemon goes on"),
  );
  return {
    take: () => {
      for (const signal of signals) process.off(signal, note);
      return asked;
    },
  };
};

/** What nobody expected ends the daemon, but no stream: the next one takes them over. */
const fail = (error: unknown): never => {
  const sentence = `internal: ${printable(messageOf(error), 500)}`;
  say(sentence);
  known?.error({ event: "internal", error }, `${sentence}; the daemon ends, the streams go on`);
  process.exit(EXIT.failed);
};

process.title = "streambrod";
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);
// A pipe that nobody reads any more must not end the daemon.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});
main().then((status) => process.exit(status), fail);
