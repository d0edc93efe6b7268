import type { Sample } from "./samples.ts";

/** A window that shrinks by less than this part of what arrives is being read from. */
const UNREAD = 0.3;
/** The same for packets that are hardly larger than what the window is counted in, which it then hides. */
const UNREAD_SMALL = 0.04;

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
  if (isLeftInGrains(samples, from, to)) return 0;
  let [taken, unread, shrunken, wasRead] = [0, 0, 0, true];
  for (const [n, { at, connection }] of samples.entries()) {
    const before = samples[n - 1]?.connection ?? null;
    if (at > to.at) break;
    if (connection === null || before === null) continue;
    const acked = connection.acked - before.acked;
    const shrunk = before.window - connection.window;
    if (shrunk > 0 && shrunk >= acked * UNREAD) {
      // It stopped some time between these two looks, and had taken what came before.
      const left = wasRead ? Math.min(acked, shrunk) : acked;
      unread += left;
      shrunken += shrunk;
      wasRead = false;
      if (at > from.at) taken += acked - left;
      continue;
    }
    wasRead = true;
    const grown = Math.min(Math.max(0, -shrunk), shrunken);
    const late = shrunken === 0 ? 0 : (unread * grown) / shrunken;
    unread -= late;
    shrunken -= grown;
    if (at > from.at) taken += acked + late;
  }
  return taken;
};

/**
 * Linux rounds the window up at each packet so that its end never moves back: what a packet of less than
 * two such grains takes of it is all but hidden, and a receiver with large buffers (a grain of 1 kB) that
 * reads nothing of 60 kbit/s closes its window by an eighth of what arrives. A program that reads keeps
 * even that as it is: so in such packets a window that never grows and ends smaller tells enough.
 */
const isLeftInGrains = (samples: readonly Sample[], from: Sample, to: Sample): boolean => {
  const [first, last] = [from.connection, to.connection];
  if (first === null || last === null || last.grain === undefined) return false;
  const acked = last.acked - first.acked;
  const segments = (last.segments ?? 0) - (first.segments ?? 0);
  if (segments <= 0 || acked >= segments * last.grain * 2) return false;
  const begin = samples.indexOf(from);
  const steps = stepsOf(samples.slice(begin, samples.indexOf(to) + 1));
  if (steps.some((step) => step < 0)) return false;
  // It had stopped by then, and not some time before the next look.
  const hadBegun = stepsOf(samples.slice(Math.max(0, begin - 3), begin + 1)).some(
    (step) => step > 0,
  );
  // Little by little: what is taken back at once was taken back by the receiver's kernel.
  const isGradual = hadBegun && steps.filter((step) => step > 0).length >= steps.length / 4;
  const shrunk = first.window - last.window;
  return isGradual && shrunk > 0 && shrunk >= acked * UNREAD_SMALL;
};

/** By how much the window shrank from each look to the next. */
const stepsOf = (samples: readonly Sample[]): readonly number[] => {
  const windows = samples.map(({ connection }) => connection?.window ?? 0);
  return windows.slice(1).map((window, n) => (windows[n] ?? 0) - window);
};
