import { z } from "zod";
import { STREAM_NAME } from "../stream-name.ts";

/** `auto` copies what the container can carry and encodes the rest; `copy` and `encode` do only that. */
export const MODES = ["auto", "copy", "encode"] as const;

/** What a process that keeps using too much CPU or memory leads to. */
export const BREACH_ACTIONS = ["warn", "restart", "stop"] as const;

/** How tracks are encoded where they are; null where StreamBro chooses. */
export const Encoding = z.object({
  width: z.number().int().min(16).max(7680).multipleOf(2).nullable(),
  height: z.number().int().min(16).max(4320).multipleOf(2).nullable(),
  /** Frames a second. */
  fps: z.number().min(1).max(120).nullable(),
  videoKbps: z.number().int().min(50).max(100_000).nullable(),
  audioKbps: z.number().int().min(16).max(512).nullable(),
  /** In the encoder's own words: `veryfast` for libx264, `p4` for h264_nvenc. */
  preset: z
    .string()
    .regex(/^[a-z0-9_]{1,32}$/)
    .nullable(),
  /** FFmpeg's name, such as `h264_nvenc`. */
  encoder: z
    .string()
    .regex(/^[a-z0-9_]{1,32}$/)
    .nullable(),
});

export const NO_ENCODING: Encoding = {
  width: null,
  height: null,
  fps: null,
  videoKbps: null,
  audioKbps: null,
  preset: null,
  encoder: null,
};

/** What an operator said a stream is, secrets left out. */
export const StreamSpec = z.object({
  name: z.string().regex(STREAM_NAME),
  owner: z.string().min(1).max(64),
  /** Absolute path of the file to play. */
  input: z.string().min(1).max(4096),
  loop: z.boolean(),
  mode: z.enum(MODES),
  encoding: Encoding.default(NO_ENCODING),
  onResourceBreach: z.enum(BREACH_ACTIONS).default("warn"),
  /** Where to send it: URLs without anything secret. */
  outputs: z.array(z.object({ url: z.string(), hasKey: z.boolean() })).min(1),
  /** Raised with every change; a run remembers the revision it was started from. */
  revision: z.number().int().min(1),
});

export type Encoding = z.infer<typeof Encoding>;
export type Mode = (typeof MODES)[number];
export type BreachAction = (typeof BREACH_ACTIONS)[number];
export type StreamSpec = z.infer<typeof StreamSpec>;

/** Fields that `stream.add` takes and `stream.set` changes. */
export const SpecFields = {
  input: z.string().min(1).max(4096),
  to: z.string().min(1).max(2048),
  key: z.string().min(1).max(900),
  loop: z.boolean(),
  owner: z.string().min(1).max(64),
  mode: z.enum(MODES),
  /** What is not mentioned stays as it is; null goes back to StreamBro's choice. */
  encoding: Encoding.partial(),
  onResourceBreach: z.enum(BREACH_ACTIONS),
};
