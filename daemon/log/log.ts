import { type DestinationStream, type Logger, pino } from "pino";

/** Events, not prose: an event's name, its fields, and a sentence for people. */
export type Log = {
  debug(fields: object, sentence: string): void;
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
  child(fields: object): Log;
};

export type LogLevel = "debug" | "info" | "warn" | "error";

/** What the daemon's own log goes through. */
export type OwnLog = {
  readonly log: Log;
  /** For the log and every child of it, from now on. */
  readonly setLevel: (level: LogLevel) => void;
};

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/**
 * One JSON object a line on stdout, which systemd's journal or a file takes from there. `prettify`
 * makes of each something else.
 */
export const stdoutLog = (
  level: LogLevel,
  prettify: ((line: string) => string) | null = null,
): OwnLog => {
  // Synchronous, so that the last line before a death is the last thing that happened.
  // What cannot be written is kept for when there is room, but not without bound.
  const stdout = pino.destination({ fd: 1, sync: true, maxLength: 1 << 20 });
  // A log that nobody reads any more, or that has no room, must not end the daemon.
  stdout.on("error", () => {});
  const destination: DestinationStream =
    prettify === null ? stdout : { write: (line) => void stdout.write(prettify(line)) };
  const logger = pino(
    {
      level: "debug",
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    destination,
  );
  let least = RANK[level];
  // A child of pino keeps the level that its parent had when it was made.
  const gated = (to: Logger): Log => ({
    debug: (fields, sentence) => (least <= RANK.debug ? to.debug(fields, sentence) : undefined),
    info: (fields, sentence) => (least <= RANK.info ? to.info(fields, sentence) : undefined),
    warn: (fields, sentence) => (least <= RANK.warn ? to.warn(fields, sentence) : undefined),
    error: (fields, sentence) => to.error(fields, sentence),
    child: (fields) => gated(to.child(fields)),
  });
  return {
    log: gated(logger),
    setLevel: (to) => {
      least = RANK[to];
    },
  };
};
