import type { Result } from "../../shared/contract/methods.ts";
import { printable } from "../../shared/stream-name.ts";
import { facts } from "./facts.ts";
import { spoken } from "./time.ts";

const ROLES = {
  admin: "an admin: every stream is yours to control",
  user: "a user: streams that you add are yours to control",
} as const;

/** What a daemon is and has in hand, one fact a line. */
export const daemonLines = (status: Result<"daemon.status">, now: number): string[] => {
  const streams = Object.entries(status.streams).filter(([, count]) => count > 0);
  const counts = streams.map(([state, count]) => `${count} ${state}`).join(", ");
  return facts([
    ["streambrod", `${status.version}, pid ${status.pid}`],
    ["up", spoken(now - Date.parse(status.startedAt))],
    ["streams", counts === "" ? "none" : counts],
    ...(status.role === undefined ? [] : [["you are", ROLES[status.role]] as const]),
    ["ffmpeg", printable(status.ffmpeg ?? "not found")],
    ["socket", printable(status.socket, 4096)],
    ["state", printable(status.stateDir, 4096)],
    ["runtime", printable(status.runtimeDir, 4096)],
    ...status.warnings.map((warning): [string, string] => ["warning", printable(warning, 2000)]),
  ]);
};
