import { messageOf } from "./log/message-of.ts";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import { EXIT } from "../shared/errors.ts";
import { daemonDirectories } from "../shared/paths.ts";
import { printable } from "../shared/stream-name.ts";
import { readCommandLine } from "./config/command-line.ts";
import { HELP, settingsHelp } from "./config/help.ts";
import { LiveSettings } from "./config/live.ts";
import { reloadSettings } from "./config/reload.ts";
import { Daemon } from "./daemon.ts";
import { journalLine, leadsToJournal, withPriority } from "./log/journal.ts";
import { type Log, stdoutLog } from "./log/log.ts";
import { prettifier, wantsColour } from "./log/pretty.ts";
import { systemdService } from "./systemd/told.ts";

/** This release, as package.json has it; daemon/ and dist/ both lie directly below that. */
const version = (): string => {
  const manifest = JSON.parse(
    readFileSync(path.join(import.meta.dirname, "../package.json"), "utf8"),
  );
  return String(manifest.version);
};

const say = (sentence: string): void => {
  const line = `streambrod: ${sentence}\n`;
  const toJournal = leadsToJournal(2, process.env);
  process.stderr.write(toJournal ? withPriority("error", line) : line);
};

const TOLD_BY_SYSTEMD = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

/** The log, as soon as its level is known. */
let known: Log | null = null;

const main = async (): Promise<number> => {
  const given = readCommandLine(process.argv.slice(2));
  if (!given.ok) {
    say(given.message);
    return EXIT.usage;
  }
  if (given.ask !== null) {
    const texts = {
      help: () => HELP,
      "help-settings": settingsHelp,
      version: () => `${version()}\n`,
    };
    process.stdout.write(texts[given.ask]());
    return EXIT.ok;
  }
  const directories = daemonDirectories(process.env, process.getuid?.() ?? 0, homedir());
  const loaded = LiveSettings.load({
    flags: given.settings,
    env: process.env,
    file: given.config === null ? directories.config : path.resolve(given.config),
    mustExist: given.config !== null || (process.env["STREAMBRO_CONFIG"] ?? "") !== "",
  });
  if (!loaded.ok) {
    for (const error of loaded.errors) say(error);
    return EXIT.invalid;
  }
  process.umask(0o027);
  const { live } = loaded;
  const colour = wantsColour(process.stdout.isTTY, process.env);
  const pretty = given.pretty ? await prettifier(colour) : null;
  const shape = leadsToJournal(1, process.env) ? journalLine(pretty) : pretty;
  const own = stdoutLog(live.current().LOG_LEVEL, shape);
  live.onChange(({ LOG_LEVEL }) => own.setLevel(LOG_LEVEL));
  const { log } = own;
  known = log;
  const early = heedEarly(live, log);
  const service = await systemdService(process.env, live, log);
  // They are for this process, and not for what it starts.
  for (const name of TOLD_BY_SYSTEMD) delete process.env[name];
  const starting = Daemon.start({
    service,
    directories,
    settings: live,
    log,
    version: version(),
    runner: path.join(import.meta.dirname, "runner.sh"),
    searchPath: process.env["PATH"] ?? "",
    signals: process,
  });
  const started = await starting;
  if (!started.ok) {
    say(started.message);
    return EXIT.failed;
  }
  const { shutdown } = started.daemon;
  shutdown.registerHandlers();
  const asked = early.take();
  if (asked !== null) void shutdown.heed(asked);
  await started.daemon.ended;
  return EXIT.ok;
};

/** Takes signals from the first moment on: one that comes during the start is heeded after it. */
const heedEarly = (live: LiveSettings, log: Log): { take(): NodeJS.Signals | null } => {
  let asked: NodeJS.Signals | null = null;
  const note = (signal: NodeJS.Signals): void => {
    asked ??= signal;
  };
  const signals = ["SIGTERM", "SIGINT", "SIGUSR2"] as const;
  for (const signal of signals) process.on(signal, note);
  // Nor does a terminal that closes take anything off the air.
  process.on("SIGHUP", () => {
    try {
      reloadSettings(live, log, "SIGHUP");
    } catch (error) {
      log.error({ event: "internal", error }, `SIGHUP: ${messageOf(error)}; the daemon goes on`);
    }
  });
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
