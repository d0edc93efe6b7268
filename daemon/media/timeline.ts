import { z } from "zod";

/** How one run's output clock maps to the item: kept with the run, as plain JSON. Milliseconds. */
export const Timeline = z.object({
  /** Offset into the item at which the run began; 0 for its beginning. */
  fromMs: z.number(),
  /**
   * What the run begins with, against `fromMs`: FFmpeg's clock starts at its first packet, which is
   * sound from before the keyframe (negative) or, in MPEG-TS, later than its decoding time.
   */
  leadMs: z.number(),
  /** The same for each pass that begins at the beginning. */
  headMs: z.number(),
  /** Length of the first, possibly shortened pass. */
  firstMs: z.number(),
  /** Length of each later pass; null where the item is played once. */
  cycleMs: z.number().nullable(),
  /** Later passes that the lists hold: as many as one process may play. */
  passes: z.number().int(),
});

export type Timeline = z.infer<typeof Timeline>;
