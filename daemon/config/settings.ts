import path from "node:path";
import { z } from "zod";

const DAY_MS = 86_400_000;
/** A whole number, written as one: an empty value is a mistake and not 0. */
const whole = (least: number, most: number) =>
  z.preprocess(
    (value) => (typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value),
    z.number().int().min(least).max(most),
  );
const ms = whole;
/** yes or no, as people write it. */
const flag = () =>
  z.preprocess((value) => {
    if (typeof value !== "string") return value;
    const word = value.trim().toLowerCase();
    return ["true", "yes", "on", "1"].includes(word)
      ? true
      : ["false", "no", "off", "0"].includes(word)
        ? false
        : value;
  }, z.boolean());
/** A name for PATH, or a path: a relative one is from where the daemon is started; FFmpeg is started in /. */
const program = () =>
  z
    .string()
    .min(1)
    .overwrite((given) => (given.includes("/") ? path.resolve(given) : given));

/**
 * Every setting: its name in the environment, what it takes and what it is when nobody says. In the
 * configuration file the same names stand in lower case.
 */
export const SettingsSchema = z.strictObject({
  /** Streams of one user that may run at once. */
  MAX_CONCURRENT_STREAMS_PER_USER: whole(0, 100_000).default(5),
  /** Streams of all users that may run at once. */
  MAX_CONCURRENT_STREAMS_GLOBAL: whole(0, 100_000).default(20),
  /** CPU of one stream, in percent of one core, past which there is a warning. */
  RESOURCE_WARNING_CPU_PERCENT: whole(1, 100_000).default(80),
  /** Resident memory of one stream, in MiB, past which there is a warning. */
  RESOURCE_WARNING_MEMORY_MB: whole(1, 1 << 24).default(500),
  /** How long a threshold must stay crossed before `--on-resource-breach` acts. */
  RESOURCE_BREACH_MS: ms(0, DAY_MS).default(120_000),
  /** Whether a stream that is encoded uses a hardware encoder that works. */
  PREFER_HARDWARE_ENCODING: flag().default(true),
  /** Whether a stream whose hardware encoder fails goes on with software. */
  HARDWARE_ENCODER_FALLBACK: flag().default(true),
  /** Feature flags: each part can be switched off without a restart. */
  LIMITER_ENABLED: flag().default(true),
  MONITOR_ENABLED: flag().default(true),
  HARDWARE_ENCODING_ENABLED: flag().default(true),
  CLEANUP_ENABLED: flag().default(true),
  /** HOST:PORT at which Prometheus finds /metrics; empty for nowhere. */
  METRICS_LISTEN: z
    .string()
    .regex(
      /^$|^(\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+):\d{1,5}$/i,
      "give HOST:PORT, such as 127.0.0.1:9464",
    )
    .default(""),
  /** From the first SIGTERM to SIGKILL. */
  FORCE_KILL_TIMEOUT_MS: ms(0, 600_000).default(5_000),
  /** How long a start may take until media flows. */
  START_TIMEOUT_MS: ms(1_000, 3_600_000).default(30_000),
  /** The first retry comes after 0 to this, each later one after about twice the one before. */
  RETRY_FIRST_MS: ms(50, 60_000).default(500),
  /** The longest delay while an outage is young. */
  RETRY_MAX_MS: ms(100, 3_600_000).default(10_000),
  /** The longest delay after that. */
  RETRY_MAX_LATER_MS: ms(100, 3_600_000).default(60_000),
  /** How long an outage is young. */
  RETRY_YOUNG_MS: ms(0, DAY_MS).default(300_000),
  /** How long a stream must deliver before its failures are forgotten. */
  RETRY_RESET_MS: ms(1_000, DAY_MS).default(300_000),
  /** Attempts before giving up; 0 never gives up. */
  RETRY_LIMIT: whole(0, 1_000_000).default(0),
  /** How often an input that is missing, on a mount that comes late say, is looked for. */
  INPUT_RETRY_MS: ms(100, 3_600_000).default(60_000),
  /** A looping stream is restarted at an item's boundary after this: RTMP's clock wraps at 24.8 days. */
  MAX_RUN_MS: ms(60_000, 24 * DAY_MS).default(20 * DAY_MS),
  /** How often CPU and memory of the streams' processes are measured. */
  RESOURCE_MONITOR_INTERVAL_MS: ms(1_000, DAY_MS).default(30_000),
  /** FFmpeg's log of one stream, kept twice: the current one and the one before. */
  LOG_MAX_BYTES: whole(65_536, 1 << 30).default(4 << 20),
  /** How long the log of a stream that does not run is kept. */
  LOG_KEEP_MS: ms(60_000, 3_650 * DAY_MS).default(30 * DAY_MS),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error"]).default("info"),
  FFMPEG_PATH: program().default("ffmpeg"),
  FFPROBE_PATH: program().default("ffprobe"),
});

export type Settings = z.infer<typeof SettingsSchema>;
