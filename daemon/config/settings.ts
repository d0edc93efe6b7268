import path from "node:path";
import { z } from "zod";
import { printable } from "../../shared/stream-name.ts";

const DAY_MS = 86_400_000;

/** The error of a value that cannot be used: what to give, and what was given. */
const wanted = (rule: string) => ({
  error: ({ input }: { readonly input?: unknown }): string => `give ${rule}, not ${shown(input)}`,
});

const shown = (value: unknown): string => {
  if (typeof value === "string") return `"${printable(value, 40)}"`;
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return value === null ? "nothing" : "a mapping";
};

/** A whole number, written as one: an empty value is a mistake and not 0. */
const whole = (least: number, most: number, of = "") => {
  const rule = wanted(`a whole number ${of}from ${least} to ${most}`);
  return z.preprocess(
    (value) => (typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value),
    z.number(rule).int(rule).min(least, rule).max(most, rule),
  );
};
const ms = (least: number, most: number) => whole(least, most, "of milliseconds ");

const YES = ["true", "yes", "on", "1"];
const NO = ["false", "no", "off", "0"];
/** yes or no, as people write it. */
const flag = () =>
  z.preprocess(
    (value) => {
      if (typeof value !== "string" && typeof value !== "number") return value;
      const word = String(value).trim().toLowerCase();
      return YES.includes(word) ? true : NO.includes(word) ? false : value;
    },
    z.boolean(wanted("true or false")),
  );

/** A name for PATH, or a path: a relative one is from where the daemon is started; FFmpeg is started in /. */
const program = () => {
  const rule = wanted("the name of a program, or its path");
  return z
    .string(rule)
    .regex(/^[^\p{Cc}]+$/u, rule)
    .overwrite((given) => (given.includes("/") ? path.resolve(given) : given));
};

/** Where to listen; nothing that was given is repeated, it may hold what it should not. */
const address = () => {
  const error = 'give HOST:PORT, such as 127.0.0.1:9464, or "off"';
  return z.preprocess(
    (value) => (typeof value === "string" && /^\s*off\s*$/i.test(value) ? "" : value),
    z
      .string({ error })
      .regex(/^$|^(\[[0-9a-f:.]+\]|[a-z0-9.-]+):\d{1,5}$/i, { error })
      .refine((given) => Number(/\d*$/.exec(given)?.[0]) <= 65_535, { error }),
  );
};

/**
 * Every setting: its name in the environment, what it takes, what it is when nobody says, and what it
 * is for. In the configuration file the same names stand in lower case, and as options of streambrod in
 * lower case with hyphens.
 */
export const SettingsSchema = z.strictObject({
  MAX_CONCURRENT_STREAMS_PER_USER: whole(0, 100_000)
    .default(5)
    .describe("streams of one user that may run at once"),
  MAX_CONCURRENT_STREAMS_GLOBAL: whole(0, 100_000)
    .default(20)
    .describe("streams of all users that may run at once"),
  MAX_REGISTERED_STREAMS_PER_USER: whole(0, 100_000)
    .default(100)
    .describe("streams, running or not, that a user who is no admin may add"),
  SHOW_OTHERS_STREAMS: flag()
    .default(true)
    .describe("users see others' streams, without inputs and destinations; false: not at all"),
  MAX_CONCURRENT_STARTS: whole(0, 10_000)
    .default(0)
    .describe("streams that may be on their way up at once; 0: twice as many as processors"),
  RESOURCE_WARNING_CPU_PERCENT: whole(1, 100_000)
    .default(80)
    .describe("CPU of one stream, in percent of one core, past which there is a warning"),
  RESOURCE_WARNING_MEMORY_MB: whole(1, 1 << 24)
    .default(500)
    .describe("resident memory of one stream, in MiB, past which there is a warning"),
  RESOURCE_BREACH_MS: ms(0, DAY_MS)
    .default(120_000)
    .describe("how long a threshold must stay crossed before --on-resource-breach acts"),
  RESOURCE_MONITOR_INTERVAL_MS: ms(1_000, DAY_MS)
    .default(30_000)
    .describe("how often CPU and memory of the streams' processes are measured"),
  PREFER_HARDWARE_ENCODING: flag()
    .default(true)
    .describe("a stream that is encoded uses a hardware encoder that works"),
  HARDWARE_ENCODER_FALLBACK: flag()
    .default(true)
    .describe("a stream whose hardware encoder fails goes on with software"),
  LIMITER_ENABLED: flag().default(true).describe("false: no limit refuses a stream"),
  MONITOR_ENABLED: flag().default(true).describe("false: CPU and memory are not measured"),
  HARDWARE_ENCODING_ENABLED: flag()
    .default(true)
    .describe("false: hardware encoders are neither tried nor used"),
  CLEANUP_ENABLED: flag()
    .default(true)
    .describe("false: no file that was left behind is taken away"),
  METRICS_LISTEN: address()
    .default("")
    .describe("HOST:PORT at which Prometheus finds /metrics; empty or off: nowhere"),
  FORCE_KILL_TIMEOUT_MS: ms(0, 600_000)
    .default(5_000)
    .describe("from the first SIGTERM to SIGKILL"),
  START_TIMEOUT_MS: ms(1_000, 3_600_000)
    .default(30_000)
    .describe("how long a start may take until media flows"),
  STALL_TIMEOUT_MS: ms(2_000, 600_000)
    .default(10_000)
    .describe("how long a receiver may take next to nothing before the stream is started again"),
  RETRY_FIRST_MS: ms(50, 60_000)
    .default(500)
    .describe("the first retry comes after 0 to this, each later one after about twice as long"),
  RETRY_MAX_MS: ms(100, 3_600_000)
    .default(10_000)
    .describe("the longest delay while an outage is young"),
  RETRY_MAX_LATER_MS: ms(100, 3_600_000).default(60_000).describe("the longest delay after that"),
  RETRY_YOUNG_MS: ms(0, DAY_MS).default(300_000).describe("how long an outage is young"),
  RETRY_RESET_MS: ms(1_000, DAY_MS)
    .default(300_000)
    .describe("how long a stream must deliver before its failures are forgotten"),
  RETRY_LIMIT: whole(0, 1_000_000)
    .default(0)
    .describe("attempts before a stream is given up as failed; 0 is for ever"),
  INPUT_RETRY_MS: ms(100, 3_600_000)
    .default(60_000)
    .describe("how often a missing input, on a mount that comes late say, is looked for"),
  // RTMP's clock wraps at 24.8 days.
  MAX_RUN_MS: ms(60_000, 24 * DAY_MS)
    .default(20 * DAY_MS)
    .describe("a looping stream gets a fresh process at an item's end before this"),
  LOG_MAX_BYTES: whole(65_536, 1 << 30, "of bytes ")
    .default(4 << 20)
    .describe("FFmpeg's log of one stream; the same again is kept of what came before"),
  LOG_KEEP_MS: ms(60_000, 3_650 * DAY_MS)
    .default(30 * DAY_MS)
    .describe("how long the log of a stream that does not run is kept"),
  HISTORY_KEEP_MS: ms(60_000, 3_650 * DAY_MS)
    .default(90 * DAY_MS)
    .describe("how long what happened is remembered"),
  HISTORY_MAX_ROWS: whole(100, 10_000_000)
    .default(200_000)
    .describe("entries that are remembered in all, of 200 to 400 bytes each"),
  HISTORY_MAX_ROWS_PER_STREAM: whole(100, 1_000_000)
    .default(10_000)
    .describe("entries that are remembered of one stream"),
  LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error"], wanted("debug, info, warn or error"))
    .default("info")
    .describe("what the daemon's own log holds: debug, info, warn or error"),
  FFMPEG_PATH: program()
    .default("ffmpeg")
    .describe("a name to look for on PATH, or a path from where streambrod is started"),
  FFPROBE_PATH: program().default("ffprobe").describe("the same"),
});

export type Settings = z.infer<typeof SettingsSchema>;
