import { AsyncLocalStorage } from "node:async_hooks";
import type { MethodName } from "../../shared/contract/methods.ts";
import type { Caller, Handlers } from "../rpc/server.ts";
import type { Users } from "../users/users.ts";
import type { By } from "./happening.ts";

/** What is being carried out, and for whom; `time` is the schedule. */
export type Asked = { readonly command: MethodName | "time"; readonly by: By | null };

/** Commands whose effects are remembered with who gave them. */
const REMEMBERED: ReadonlySet<string> = new Set<MethodName>([
  "stream.add",
  "stream.set",
  "stream.start",
  "stream.stop",
  "stream.restart",
  "stream.remove",
  "daemon.reload",
  "daemon.stop",
]);

/** A name that takes longer is not waited for: a command must not be kept waiting by a directory. */
const NAME_MS = 200;

/**
 * Knows, wherever something happens, which command it comes of. What a command has set going goes on
 * under its name: whoever looks has to know which commands lead to what happened just now.
 */
export class Asking {
  readonly #asked = new AsyncLocalStorage<Asked>();

  get current(): Asked | null {
    return this.#asked.getStore() ?? null;
  }

  /** Carries out something that comes due. */
  onTime<T>(work: () => T): T {
    return this.#asked.run({ command: "time", by: null }, work);
  }

  /** The same handlers, each carried out as what it is. */
  wrap(handlers: Handlers, users: Pick<Users, "nameOf">): Handlers {
    const wrapped = Object.entries(handlers).map(([method, handle]) => {
      if (!REMEMBERED.has(method)) return [method, handle];
      const command = method as MethodName;
      const run = handle as (params: unknown, caller: Caller) => Promise<unknown>;
      const asking = async (params: unknown, caller: Caller): Promise<unknown> => {
        const by = await whoIs(caller, users);
        return this.#asked.run({ command, by }, () => run(params, caller));
      };
      return [method, asking];
    });
    return Object.fromEntries(wrapped) as Handlers;
  }
}

const whoIs = async ({ peer }: Caller, users: Pick<Users, "nameOf">): Promise<By | null> => {
  if (peer === null) return null;
  const { uid } = peer;
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), NAME_MS);
  const user = await Promise.race([users.nameOf(uid).catch(() => null), late]);
  clearTimeout(timer);
  return { uid, user };
};
