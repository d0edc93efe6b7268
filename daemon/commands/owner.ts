import type { Caller } from "../rpc/server.ts";

/** Whose stream it becomes: who asks, or whom `asked` names where the caller may say so. */
export const ownerFor = (caller: Caller, asked: string | undefined, daemonUser: string): string =>
  asked ?? caller.peer?.user ?? daemonUser;
