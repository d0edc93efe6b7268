import { pino } from "pino";

/** Events, not prose: an event's name, its fields, and a sentence for people. */
export type Log = {
  debug(fields: object, sentence: string): void;
  info(fields: object, sentence: string): void;
  warn(fields: object, sentence: string): void;
  error(fields: object, sentence: string): void;
  child(fields: object): Log;
};

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One JSON object a line on stdout, which systemd's journal or a file takes from there. */
export const stdoutLog = (level: LogLevel): Log => {
  // Synchronous, so that the last line before a death is the last thing that happened.
  const destination = pino.destination({ fd: 1, sync: true });
  // A log that nobody reads any more, or that has no room, must not end the daemon.
  destination.on("error", () => {});
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: pino.stdSerializers.err },
    },
    destination,
  );
};
