import { execa } from "execa";
import { canStartPrograms } from "../runner/descriptors.ts";
import type { Ends } from "./sockets.ts";

/** States of a connection that its process has closed, and that still has something to send. */
const CLOSING = ["fin-wait-1", "closing", "last-ack"];

/**
 * Resets connections that were lost without a word and whose process has ended; how many there were.
 *
 * Such a connection stays in the kernel, which tries ever more seldom to send what is left; and until
 * the receiver hears of its end, it takes the next publisher for a second one. Only when the receiver
 * has answered is a reset of any use: one that is lost on the way is not repeated. Without the right
 * to it (CAP_NET_ADMIN), and with a kernel that cannot, none is reset: the receiver finds out in its
 * own time.
 */
export const resetGhosts = async (ends: readonly Ends[]): Promise<number> => {
  if (!canStartPrograms()) return 0;
  const states = CLOSING.flatMap((state) => ["state", state]);
  let reset = 0;
  for (const { local, peer } of ends) {
    // eslint-disable-next-line no-await-in-loop -- two or three at most
    const { stdout } = await execa("ss", ["-KtnHO", ...states, "src", local, "dst", peer], {
      reject: false,
      stdin: "ignore",
      stderr: "ignore",
      timeout: 5_000,
      maxBuffer: 100_000,
    });
    reset += stdout.split("\n").filter((line) => line.trim() !== "").length;
  }
  return reset;
};
