import { readFile } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { Encoder } from "../../shared/contract/daemon.ts";
import { writeAtomically } from "../store/atomic-file.ts";
import { type Found, parseRecord } from "../store/record-file.ts";

/** What a detection depends on, without running anything: where this differs, it counts no longer. */
const Circumstances = z.object({
  /** FFmpeg's file; null where there is none. */
  program: z.object({ path: z.string(), size: z.number(), mtimeMs: z.number() }).nullable(),
  devices: z.array(z.object({ path: z.string(), usable: z.boolean() })),
  /** HARDWARE_ENCODING_ENABLED. */
  hardware: z.boolean(),
  /** A digest of what is tried, and with which arguments. */
  trials: z.string(),
});

/** A detection as the state directory keeps it. */
export const Memo = z.object({
  version: z.literal(1),
  circumstances: Circumstances,
  /** As FFmpeg says it: a program may be a script in front of another one. */
  ffmpeg: z.string().nullable(),
  /** ISO 8601 in UTC. */
  at: z.string(),
  encoders: z.array(Encoder),
});

export type Circumstances = z.infer<typeof Circumstances>;
export type Memo = z.infer<typeof Memo>;

export const isSame = (one: Circumstances, other: Circumstances): boolean =>
  isDeepStrictEqual(one, other);

/** Null where there is none that can be read. */
export const readMemo = async (file: string): Promise<Memo | null> => {
  const found = await look(file);
  return found?.is === "good" ? found.value : null;
};

/** Replaces the file, unless it is a newer release's; throws the system's error where it cannot. */
export const writeMemo = async (file: string, memo: Memo): Promise<void> => {
  if ((await look(file))?.is === "newer") return;
  await writeAtomically(file, `${JSON.stringify(memo, null, 2)}\n`, 0o640);
};

const look = async (file: string): Promise<Found<Memo> | null> => {
  const text = await readFile(file, "utf8").catch(() => null);
  return text === null ? null : parseRecord(text, Memo);
};
