import type { Clock } from "../clock/clock.ts";
import type { Registry } from "../registry/registry.ts";
import { containerOf } from "../ffmpeg/argv.ts";
import type { Log } from "../log/log.ts";
import { messageOf } from "../log/message-of.ts";
import type { Stream } from "../supervisor/stream.ts";
import { type Connection, type Connections, NO_CONNECTION, readSockets } from "./sockets.ts";

/** How often is looked while something is starting or stopping, and otherwise. */
const BUSY_MS = 250;
const CALM_MS = 1_000;
/** How often the kernel is asked for its counters, and every how many seconds positions go to disk. */
const SOCKETS_MS = 2_000;
const SOCKETS_BUSY_MS = 500;
const MOST_FAILURES = 3;
const CHECKPOINT_ROUNDS = 10;
/** How soon it is asked again where it does not answer: each time may hold every look up for seconds. */
const SOCKETS_SILENT_MS = 30_000;

type Surroundings = {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly log: Log;
  /** Upkeep of one stream, after its look: its log's bound, its run directory, its input. */
  readonly upkeep: (stream: Stream, isCheckpoint: boolean) => void;
};

/** Looks at every running stream, for as long as the daemon lives. `stop` ends it. */
export const startSweep = ({
  registry,
  clock,
  monotonic,
  upkeep,
  log,
}: Surroundings): { stop(): void } => {
  let stopped = false;
  let cancel = (): void => {};
  let dueAt = Number.POSITIVE_INFINITY;
  const schedule = (ms: number): void => {
    cancel();
    dueAt = monotonic() + ms;
    if (!stopped) cancel = clock.after(ms, () => void sweep());
  };
  let socketsAt = Number.NEGATIVE_INFINITY;
  let wholeAt = Number.NEGATIVE_INFINITY;
  let rounds = 0;

  // Where it has never answered it is not waited for.
  let failures = MOST_FAILURES - 1;
  /** Once without an answer says nothing: the machine may be busy. More often, it cannot be asked. */
  const ask = async (): Promise<Connections | null | undefined> => {
    const connections = await readSockets();
    failures = connections === null ? failures + 1 : 0;
    return connections ?? (failures < MOST_FAILURES ? undefined : null);
  };

  const lookAround = async (): Promise<number> => {
    const running = [...registry.streams.values()].filter(
      ({ supervisor }) => supervisor.session !== null,
    );
    const busy = running.some(({ supervisor }) => supervisor.state.is !== "live");
    // Where the wall clock has been set, everybody is told now.
    clock.now();
    const now = monotonic();
    // What may be a stall is looked at closely: the seconds count.
    const doubtful = running.some(({ supervisor }) => supervisor.session?.evidence.isDoubtful);
    const silent = failures >= MOST_FAILURES;
    const soonMs = busy || doubtful ? SOCKETS_BUSY_MS : SOCKETS_MS;
    const asks = running.length > 0 && now - socketsAt >= (silent ? SOCKETS_SILENT_MS : soonMs);
    if (asks) socketsAt = now;
    const connections = asks ? await ask() : silent ? null : undefined;
    registry.leftAlone.settleSlots();
    const isWhole = now - wholeAt >= CALM_MS - BUSY_MS / 2;
    if (isWhole) {
      wholeAt = now;
      rounds += 1;
    }
    for (const [at, stream] of [...registry.streams.values()].entries()) {
      const { session, state } = stream.supervisor;
      // While a crowd starts, those that are on the air are looked at no more often than otherwise.
      if (session === null || !(isWhole || asks || state.is !== "live")) continue;
      stream.supervisor.look(connectionOf(stream, connections));
      // Each in its turn: hundreds of files at one moment would hold up everything else.
      if (isWhole) upkeep(stream, (at + rounds) % CHECKPOINT_ROUNDS === 0);
    }
    return busy ? BUSY_MS : doubtful ? SOCKETS_BUSY_MS : CALM_MS;
  };
  const sweep = async (): Promise<void> => {
    // While it is looking, the next look is set at its end.
    dueAt = Number.NEGATIVE_INFINITY;
    try {
      schedule(await lookAround());
    } catch (error) {
      // No descriptors left, say. Looking goes on, or nothing would ever be noticed again.
      log.error({ event: "internal", error }, `a look at the streams failed: ${messageOf(error)}`);
      schedule(CALM_MS);
    }
  };
  // A start is looked at soon, not after what was left of a calm second.
  // Never later than it would be anyway: a crowd of starts must not put every look off.
  registry.onBusy = () => {
    if (dueAt > monotonic() + BUSY_MS) schedule(BUSY_MS);
  };
  void sweep();
  return {
    stop: () => {
      stopped = true;
      cancel();
    },
  };
};

/** What the kernel says of a stream's process; null where it cannot tell, as for SRT, which is UDP. */
const connectionOf = (
  stream: Stream,
  connections: Connections | null | undefined,
): Connection | null | undefined => {
  const { session } = stream.supervisor;
  if (connections === undefined || session === null) return undefined;
  if (connections === null || containerOf(session.contents.record.url) === "mpegts") return null;
  return connections.get(session.run.pids.ffmpeg.pid) ?? NO_CONNECTION;
};
