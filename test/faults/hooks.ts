import http from "node:http";

/** One publisher's turn, as nginx told it. */
export type Turn = { readonly key: string; readonly client: number; readonly fromMs: number };

/** What nginx asks and tells: who publishes, and when one has ended. */
export type Hooks = {
  readonly port: number;
  readonly open: (key: string) => readonly Turn[];
  /** Publishers let in so far. */
  readonly count: () => number;
  readonly rejectKey: (key: string, rejected: boolean) => void;
  /** For a server that was killed: every turn is over. */
  readonly endAll: () => void;
  readonly close: () => Promise<void>;
};

/** `onOverlap` is told, before nginx gets its answer, when a key is published that has a turn already. */
export const startHooks = async (
  onOverlap: (key: string, turns: readonly Turn[]) => void,
): Promise<Hooks> => {
  const turns = new Map<string, Turn>();
  const rejected = new Set<string>();
  let count = 0;
  const open = (key: string): Turn[] => [...turns.values()].filter((turn) => turn.key === key);
  const hear = (call: string, query: URLSearchParams): number => {
    const [key, client] = [query.get("name") ?? "", query.get("clientid") ?? ""];
    const id = `${key} ${client}`;
    if (call === "/publish_done") turns.delete(id);
    if (call !== "/publish") return 200;
    if (rejected.has(key)) return 403;
    const before = open(key);
    if (before.length > 0) onOverlap(key, before);
    turns.set(id, { key, client: Number(client), fromMs: Date.now() });
    count += 1;
    return 200;
  };
  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    response.statusCode = hear(pathname, searchParams);
    response.end();
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject).listen(0, "127.0.0.1", () => resolve());
  await promise;
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    open,
    count: () => count,
    rejectKey: (key, isRejected) => void (isRejected ? rejected.add(key) : rejected.delete(key)),
    endAll: () => turns.clear(),
    close: async () => {
      const { promise: closed, resolve: done } = Promise.withResolvers<void>();
      server.close(() => done());
      server.closeAllConnections();
      await closed;
    },
  };
};
