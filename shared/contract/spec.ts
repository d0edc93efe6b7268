import { z } from "zod";
import { STREAM_NAME } from "../stream-name.ts";

/** What an operator said a stream is, secrets left out. */
export const StreamSpec = z.object({
  name: z.string().regex(STREAM_NAME),
  owner: z.string().min(1).max(64),
  /** Absolute path of the file to play. */
  input: z.string().min(1).max(4096),
  loop: z.boolean(),
  mode: z.enum(["copy"]),
  /** Where to send it: URLs without anything secret. */
  outputs: z.array(z.object({ url: z.string(), hasKey: z.boolean() })).min(1),
  /** Raised with every change; a run remembers the revision it was started from. */
  revision: z.number().int().min(1),
});

export type StreamSpec = z.infer<typeof StreamSpec>;

/** Fields that `stream.add` takes and `stream.set` changes. */
export const SpecFields = {
  input: z.string().min(1).max(4096),
  to: z.string().min(1).max(2048),
  key: z.string().min(1).max(900),
  loop: z.boolean(),
  owner: z.string().min(1).max(64),
};
