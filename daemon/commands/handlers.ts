import { PROTOCOL, PROTOCOL_OLDEST } from "../../shared/protocol.ts";
import { StreamBroError } from "../../shared/errors.ts";
import type { MethodName, Result } from "../../shared/contract/methods.ts";
import type { StreamSpec } from "../../shared/contract/spec.ts";
import type { GuardedHandlers } from "../access/guard.ts";
import { shownUrl } from "../destination/destination.ts";
import { masked } from "../destination/masked.ts";
import { ownerOf } from "../registry/owner-of.ts";
import { countStates, statusesOf } from "../registry/statuses.ts";
import { placesOf } from "../store/layout.ts";
import { lastLines, linesAfter, untilWritten } from "../logs/follow.ts";
import type { Caller } from "../rpc/server.ts";
import { shuttingDown } from "../supervisor/refusals.ts";
import type { Stream } from "../supervisor/stream.ts";
import { stopTime } from "../schedule/stop-time.ts";
import { addStream } from "./add-stream.ts";
import { awaitStream } from "./await-stream.ts";
import { changeStream } from "./change-stream.ts";
import type { Editing } from "./editing.ts";

/** What the daemon tells about itself. */
export type Daemon = {
  readonly version: string;
  about(): Omit<Result<"daemon.status">, "streams">;
  /** Begins the daemon's end; the answer to the command goes out first. */
  stop(keepStreams: boolean): void;
  readonly stopping: () => boolean;
};

/** Methods that are carried out here; the others have files of their own. */
type OwnMethod =
  | "daemon.hello"
  | "daemon.status"
  | "daemon.stop"
  | Exclude<Extract<MethodName, `stream.${string}`>, "stream.command">;

/** Errors: SHUTTING_DOWN. */
export const refuseWhenStopping = ({ stopping }: Pick<Daemon, "stopping">): void => {
  if (stopping()) throw shuttingDown();
};

/** Carries out the contract. Whatever changes something is refused once the daemon is stopping. */
export const handlers = (
  daemon: Daemon,
  editing: Editing,
  rooms: Omit<GuardedHandlers, OwnMethod>,
): GuardedHandlers => {
  const { registry, store, clock } = editing;
  const open = (): void => refuseWhenStopping(daemon);
  const move = async (
    name: string,
    command: (stream: Stream) => Promise<boolean>,
  ): Promise<Result<"stream.start">> => {
    open();
    const stream = registry.get(name);
    const changed = await command(stream);
    return { changed, stream: stream.status() };
  };
  return {
    "daemon.hello": async ({ protocol, oldest }) => {
      if (oldest > PROTOCOL || protocol < PROTOCOL_OLDEST) {
        const message =
          `streambro speaks protocol ${oldest} to ${protocol}, this daemon (${daemon.version}) ` +
          `${PROTOCOL_OLDEST} to ${PROTOCOL}. Install the same release of both.`;
        throw new StreamBroError("PROTOCOL_UNSUPPORTED", message, {
          protocol: PROTOCOL,
          oldest: PROTOCOL_OLDEST,
        });
      }
      return { protocol: Math.min(protocol, PROTOCOL), version: daemon.version };
    },
    "daemon.status": async () => ({
      ...daemon.about(),
      streams: countStates(statusesOf(registry)),
    }),
    "daemon.stop": async ({ keepStreams }) => {
      open();
      const running = registry.sorted().filter(({ supervisor }) => supervisor.session !== null);
      const { foreign } = countStates(statusesOf(registry));
      daemon.stop(keepStreams);
      return { pid: process.pid, streams: running.length, foreign };
    },
    ...rooms,
    "stream.add": async (params, caller) => {
      open();
      return addStream(params, caller, editing);
    },
    "stream.set": async (params, caller) => {
      open();
      return changeStream(params, caller, editing);
    },
    "stream.show": async ({ name }) => ({ version: 1, spec: shownSpec(registry.get(name).spec) }),
    "stream.status": async ({ names }) => ({ version: 1, streams: statusesOf(registry, names) }),
    "stream.start": async (params) =>
      move(params.name, (stream) => stream.start(stopTime(params, clock.now()))),
    "stream.stop": async ({ name }) => move(name, (stream) => stream.stop()),
    "stream.restart": async ({ name }) => move(name, (stream) => stream.restart()),
    "stream.wait": async (params, caller) => awaitStream(registry, params, caller.gone),
    "stream.logs": async (params, caller) => {
      const stream = registry.get(params.name);
      const { log } = placesOf(store.layout, stream.spec.name);
      return readLog(log, params, caller, Object.values(stream.secrets));
    },
    "stream.remove": async ({ name }) => {
      open();
      const owner = ownerOf(registry, name);
      await registry.remove(name);
      editing.edited(name, "removed", "removed", owner);
      return { name };
    },
  };
};

const shownSpec = (spec: StreamSpec): StreamSpec => ({
  ...spec,
  outputs: spec.outputs.map(({ url, hasKey }) => ({ url: shownUrl(url, hasKey), hasKey })),
});

const readLog = async (
  log: string,
  {
    lines,
    cursor,
    waitMs,
  }: { lines?: number | undefined; cursor?: string | undefined; waitMs?: number | undefined },
  { gone }: Caller,
  secrets: readonly string[],
): Promise<Result<"stream.logs">> => {
  const read = (): Result<"stream.logs"> =>
    cursor === undefined ? lastLines(log, lines ?? 50) : linesAfter(log, cursor);
  let piece = read();
  if (piece.lines.length === 0 && cursor !== undefined && waitMs !== undefined) {
    await untilWritten(log, waitMs, gone);
    piece = read();
  }
  return { lines: piece.lines.map((line) => masked(line, secrets)), cursor: piece.cursor };
};
