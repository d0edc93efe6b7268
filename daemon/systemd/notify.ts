import type { Environment } from "../../shared/paths.ts";
import { messageOf } from "../log/message-of.ts";
import { type Send, openDatagrams } from "./datagram.ts";

/** What systemd is told, such as READY: see sd_notify(3). */
export type Notice = Readonly<
  Partial<
    Record<
      "READY" | "STOPPING" | "RELOADING" | "WATCHDOG" | "MONOTONIC_USEC" | "EXTEND_TIMEOUT_USEC",
      number
    >
  >
> & { readonly STATUS?: string };

export type Notifier = {
  /** Whether it was taken. Never waits, never throws. */
  notify(notice: Notice): boolean;
  /** How long systemd waits for a sign of life, in milliseconds; null where it does not. */
  readonly watchdogMs: number | null;
};

export type Notifying =
  | { readonly is: "able"; readonly notifier: Notifier }
  /** Nobody wants to be told. */
  | { readonly is: "unwanted" }
  /** A sentence that says what comes of it. */
  | { readonly is: "unable"; readonly message: string };

/** Finds out whether systemd, or whoever else gave NOTIFY_SOCKET, waits to be told. Never throws. */
export const notifierOf = async (
  env: Environment,
  open: () => Promise<Send> = openDatagrams,
): Promise<Notifying> => {
  const address = env["NOTIFY_SOCKET"] ?? "";
  if (address === "") return { is: "unwanted" };
  try {
    const send = await open();
    const notifier: Notifier = {
      notify: (notice) => send(address, textOf(notice)) === null,
      watchdogMs: watchdogOf(env),
    };
    const why = send(address, textOf({ STATUS: "starting: taking over what runs" }));
    return why === null ? { is: "able", notifier } : { is: "unable", message: unable(why) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const missing = code === "MODULE_NOT_FOUND" || code === "ERR_MODULE_NOT_FOUND";
    const why = missing ? "the package koffi is not installed" : messageOf(error);
    return { is: "unable", message: unable(why) };
  }
};

const unable = (why: string): string =>
  `NOTIFY_SOCKET is set, but whoever is there cannot be told that streambrod is ready: ${why}. A service of Type=notify is ended and started again when its start timeout is over; streams go on. Mend that, or put Type=exec and WatchdogSec=0 into a drop-in of the service.`;

/** One assignment a line. */
const textOf = (notice: Notice): string =>
  Object.entries(notice)
    .map(([name, value]) => `${name}=${String(value).replace(/\p{Cc}/gu, " ")}`)
    .join("\n");

const watchdogOf = (env: Environment): number | null => {
  const [usec, pid] = [Number(env["WATCHDOG_USEC"]), env["WATCHDOG_PID"] ?? ""];
  const isOurs = pid === "" || pid === String(process.pid);
  return isOurs && Number.isSafeInteger(usec) && usec > 0 ? usec / 1_000 : null;
};
