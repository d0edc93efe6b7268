import { z } from "zod";

/** Streams that may run at once. */
export const UserLimit = z.number().int().min(0).max(100_000);

/** Limits and how far they are used. */
export const Limits = z.object({
  version: z.literal(1),
  /** False where the limiter is switched off: it counts and refuses nothing. */
  enabled: z.boolean(),
  perUser: UserLimit,
  global: UserLimit,
  /** Users whose own limit is not `perUser`. */
  users: z.record(z.string(), UserLimit),
  /** `settings` where nobody has changed it with `limits set`. */
  origin: z.object({
    perUser: z.enum(["settings", "limits"]),
    global: z.enum(["settings", "limits"]),
  }),
  active: z.object({
    global: z.number(),
    /** Streams that hold a slot, by owner. */
    users: z.record(z.string(), z.number()),
  }),
  /** Streams that should run and wait for a slot. */
  waiting: z.array(z.string()),
});

/** One encoder that was tried. */
export const Encoder = z.object({
  name: z.string(),
  kind: z.enum(["hardware", "software"]),
  works: z.boolean(),
  /** Why it does not, in FFmpeg's words; null where it does. */
  reason: z.string().nullable(),
  /** The device it needs, such as `/dev/dri/renderD128`; null where it finds its own. */
  device: z.string().nullable(),
});

/** What can encode here. The first five are the design document's. */
export const Encoders = z.object({
  version: z.literal(1),
  nvidia: z.boolean(),
  intelQSV: z.boolean(),
  appleVT: z.boolean(),
  preferred: z.string(),
  fallback: z.string(),
  encoders: z.array(Encoder),
  ffmpeg: z.string().nullable(),
  /** ISO 8601 in UTC. */
  at: z.string(),
});

const SettingValue = z.union([z.string(), z.number(), z.boolean()]);

export const Configuration = z.object({
  version: z.literal(1),
  /** The configuration file; null where there is none. */
  file: z.string().nullable(),
  settings: z.array(
    z.object({
      name: z.string(),
      value: SettingValue,
      default: SettingValue,
      /** `default`, `flag`, `environment` or `file`. */
      origin: z.enum(["default", "flag", "environment", "file"]),
      /** Whether a reload can change it. */
      live: z.boolean(),
      /** What the next start of the daemon takes up, where that is another value. */
      pending: SettingValue.optional(),
    }),
  ),
});

export const Reloaded = z.object({
  version: z.literal(1),
  changed: z.array(z.object({ name: z.string(), from: SettingValue, to: SettingValue })),
  /** Changed too, but only the next start of the daemon takes it up. */
  needsRestart: z.array(z.object({ name: z.string(), from: SettingValue, to: SettingValue })),
});

/** One value of one metric. */
export const Metric = z.object({
  name: z.string(),
  type: z.enum(["counter", "gauge"]),
  help: z.string(),
  labels: z.record(z.string(), z.string()),
  value: z.number(),
});

export type Limits = z.infer<typeof Limits>;
export type Encoder = z.infer<typeof Encoder>;
export type Encoders = z.infer<typeof Encoders>;
export type Configuration = z.infer<typeof Configuration>;
export type Reloaded = z.infer<typeof Reloaded>;
export type Metric = z.infer<typeof Metric>;
