import type { Sample } from "./samples.ts";

/** A window that shrinks by less than this part of what arrives is being read from. */
const UNREAD = 0.3;

/**
 * Bytes that the receiver's program has taken from its kernel, over all looks from one to another.
 *
 * The kernel alone goes on acknowledging until its buffer is full, which takes seconds or, at a low
 * bitrate, minutes. But the window that it offers becomes smaller by what nobody reads, while a program
 * that reads keeps it as it is. What a byte takes of it differs by kernel and by the size of packets:
 * half a byte to one were seen. So a window that does nothing but shrink, by that much of what arrives,
 * means that nothing is read; and one that grows again, that what had come before is read now. Null
 * where the kernel cannot tell.
 */
export const takenBetween = (
  samples: readonly Sample[],
  from: Sample,
  to: Sample,
): number | null => {
  if (from.connection === null || to.connection === null) return null;
  let [taken, unread, shrunken] = [0, 0, 0];
  for (const [n, { at, connection }] of samples.entries()) {
    const before = samples[n - 1]?.connection ?? null;
    if (at > to.at) break;
    if (connection === null || before === null) continue;
    const acked = connection.acked - before.acked;
    const shrunk = before.window - connection.window;
    if (shrunk > 0 && shrunk >= acked * UNREAD) {
      unread += acked;
      shrunken += shrunk;
      continue;
    }
    const grown = Math.min(Math.max(0, -shrunk), shrunken);
    const late = shrunken === 0 ? 0 : (unread * grown) / shrunken;
    unread -= late;
    shrunken -= grown;
    if (at > from.at) taken += acked + late;
  }
  return taken;
};
