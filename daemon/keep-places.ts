import type { Log } from "./log/log.ts";
import type { Listener } from "./rpc/listen.ts";
import type { RunsClaim } from "./store/runs-claim.ts";

/** How often is looked; it takes some microseconds. */
const EVERY_MS = 1_000;

/**
 * Anybody may wipe a runtime directory, a logout does. Without its socket nobody could reach the daemon
 * any more: it puts its claim and its socket back. What it cannot put back it says once. `stop` ends it.
 */
export const keepPlaces = (
  socket: string,
  listener: Listener,
  claim: RunsClaim,
  log: Log,
): { stop(): void } => {
  const said = new Set<string>();
  let busy = false;
  const say = (sentence: string): void => {
    if (said.has(sentence)) return;
    said.add(sentence);
    log.error({ event: "socket" }, sentence);
  };
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    const refusal = claim.hold();
    if (refusal !== null) say(refusal);
    const outcome = await listener.mend();
    busy = false;
    if ("message" in outcome) return say(`nobody can reach this daemon: ${outcome.message}`);
    if (!outcome.mended) return;
    said.clear();
    const fields = { event: "socket", socket, pid: process.pid };
    log.warn(fields, `${socket} was gone; streambrod answers there again`);
  };
  const timer = setInterval(() => void look(), EVERY_MS).unref();
  return { stop: () => clearInterval(timer) };
};
