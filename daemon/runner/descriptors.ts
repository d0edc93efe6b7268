import { closeSync, openSync } from "node:fs";

/** What starting a program takes for a moment: two for each of its pipes, and some to tell how it went. */
const NEEDED = 8;

/**
 * Whether there are descriptors enough to start a program. Asked before: of a child whose start fails for
 * want of them Node loses the pipes, and every such failure would leave some open for ever.
 */
export const canStartPrograms = (): boolean => {
  const held: number[] = [];
  try {
    while (held.length < NEEDED) held.push(openSync("/dev/null", "r"));
    return true;
  } catch {
    return false;
  } finally {
    for (const fd of held) closeSync(fd);
  }
};
