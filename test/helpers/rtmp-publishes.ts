import { existsSync, readdirSync, renameSync } from "node:fs";
import http from "node:http";
import path from "node:path";

/** One publisher's turn, as the server told it. */
export type Publish = {
  readonly name: string;
  /** The server's number for the connection. */
  readonly client: number;
  /** Date.now(), as are all times. */
  readonly startedMs: number;
  /** Null while it goes on; afterwards the recording is complete. */
  endedMs: number | null;
  /** True where a rule of the test turned it away; false where nginx did, for one already publishing. */
  readonly rejected: boolean;
  /** The recording, FLV; null where nothing was recorded. */
  file: string | null;
};

export type PublishLog = {
  readonly port: number;
  readonly all: () => readonly Publish[];
  /** Turns away publishers of these names from now on. */
  readonly reject: (rule: (name: string) => boolean) => void;
  /** For a server that was killed: every turn is over and its recording is what there is. */
  readonly endAll: () => void;
  readonly close: () => Promise<void>;
};

/**
 * nginx names a recording by the second and opens it even for a publisher that it then refuses, so
 * one that comes within a second of the other would empty the other's file.
 */
const SAME_FILE_MS = 1100;

const nobody = (): boolean => false;

/** Listens to nginx's notifications and gives every recording a name of its own. */
export const startPublishLog = async (recordings: string): Promise<PublishLog> => {
  const publishes: Publish[] = [];
  let rejects: (name: string) => boolean = nobody;

  const keep = (publish: Publish, file: string): void => {
    const number = String(publishes.indexOf(publish) + 1).padStart(4, "0");
    const kept = path.join(recordings, `${number}-${encodeURIComponent(publish.name)}.flv`);
    if (existsSync(file)) renameSync(file, kept);
    publish.file = existsSync(kept) ? kept : null;
  };

  const recordingOf = (name: string): string | null => {
    const prefix = `${encodeURIComponent(name)}-`;
    const found = readdirSync(recordings)
      .filter((file) => file.startsWith(prefix) && /^\d+\.flv$/.test(file.slice(prefix.length)))
      .sort();
    const last = found.at(-1);
    return last === undefined ? null : path.join(recordings, last);
  };

  const openOf = (client: number): Publish | undefined =>
    publishes.findLast((publish) => publish.client === client && publish.endedMs === null);

  /** What nginx is answered: 200 lets the publisher in. */
  const hear = (call: string, query: URLSearchParams): number => {
    const name = query.get("name") ?? "";
    const client = Number(query.get("clientid"));
    const now = Date.now();
    if (call === "/publish") {
      const rejected = rejects(name);
      const endedMs = rejected ? now : null;
      publishes.push({ name, client, startedMs: now, endedMs, rejected, file: null });
      return rejected ? 403 : 200;
    }
    const publish = openOf(client);
    if (call === "/record_done" && publish !== undefined) {
      keep(publish, query.get("path") ?? "");
      publish.endedMs = now;
    }
    return 200;
  };

  /** How long nginx has to wait for its answer, in milliseconds. */
  const heldBack = (call: string, query: URLSearchParams): number => {
    if (call !== "/publish") return 0;
    const name = query.get("name");
    const open = publishes.filter((publish) => publish.endedMs === null && publish.name === name);
    return Math.max(0, ...open.map(({ startedMs }) => startedMs + SAME_FILE_MS - Date.now()));
  };

  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    const wait = heldBack(pathname, searchParams);
    response.statusCode = hear(pathname, searchParams);
    setTimeout(() => response.end(), wait).unref();
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(0, "127.0.0.1", () => resolve());
  await promise;
  const address = server.address();

  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    all: () =>
      publishes.map((publish) =>
        publish.endedMs === null ? { ...publish, file: recordingOf(publish.name) } : publish,
      ),
    reject: (rule) => {
      rejects = rule;
    },
    endAll: () => {
      for (const publish of publishes.filter(({ endedMs }) => endedMs === null)) {
        const file = recordingOf(publish.name);
        if (file !== null) keep(publish, file);
        publish.endedMs = Date.now();
      }
    },
    close: async () => {
      const { promise: closed, resolve: done } = Promise.withResolvers<void>();
      server.close(() => done());
      server.closeAllConnections();
      await closed;
    },
  };
};

/** How many publishers of one name were connected at once, those that nginx refused included. */
export const mostAtOnce = (publishes: readonly Publish[]): number =>
  Math.max(
    0,
    ...publishes.map(
      ({ startedMs }) =>
        publishes.filter(
          (other) =>
            !other.rejected &&
            other.startedMs <= startedMs &&
            (other.endedMs === null || other.endedMs > startedMs),
        ).length,
    ),
  );
