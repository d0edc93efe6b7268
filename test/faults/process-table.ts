import { readFileSync, readdirSync } from "node:fs";
import { MARKER } from "../../daemon/runner/find-runs.ts";

/** A process as this suite looks at it, four times a second: what cannot change is read once. */
export type Seen = {
  readonly pid: number;
  readonly startTime: string;
  readonly parent: number;
  readonly group: number;
  readonly state: string;
  readonly argv: readonly string[];
  /** The stream's lock, which FFmpeg carries in its environment; null where it carries none. */
  readonly marker: string | null;
};

type Kept = {
  readonly startTime: string;
  readonly argv: string[];
  readonly marker: string | null;
  readonly readAt: number;
};

/** A young process may yet become another program, under the same pid. */
const YOUNG_MS = 3_000;

const read = (pid: string, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return "";
  }
};

/** All processes of this machine that are not zombies. */
export class ProcessTable {
  #kept = new Map<string, Kept>();
  readonly #firstSeen = new Map<string, number>();

  look(): Seen[] {
    const now = performance.now();
    const kept = new Map<string, Kept>();
    const seen: Seen[] = [];
    for (const pid of readdirSync("/proc")) {
      if (!/^\d+$/.test(pid)) continue;
      const stat = read(pid, "stat");
      const [state = "X", parent, group, ...rest] = stat
        .slice(stat.lastIndexOf(")") + 2)
        .split(" ");
      if (stat === "" || state === "Z" || state === "X") continue;
      const startTime = rest[16] ?? "";
      const known = this.#known(pid, startTime, now) ?? this.#readAnew(pid, startTime, now);
      kept.set(pid, known);
      const { argv, marker } = known;
      seen.push({
        ...{ pid: Number(pid), startTime, state, argv, marker },
        ...{ parent: Number(parent), group: Number(group) },
      });
    }
    this.#kept = kept;
    for (const pid of this.#firstSeen.keys()) if (!kept.has(pid)) this.#firstSeen.delete(pid);
    return seen;
  }

  #known(pid: string, startTime: string, now: number): Kept | null {
    const before = this.#kept.get(pid);
    if (before?.startTime !== startTime) {
      this.#firstSeen.set(pid, now);
      return null;
    }
    return before.readAt - (this.#firstSeen.get(pid) ?? now) > YOUNG_MS ? before : null;
  }

  #readAnew(pid: string, startTime: string, readAt: number): Kept {
    const argv = Buffer.from(read(pid, "cmdline"), "latin1")
      .toString("utf8")
      .split("\0")
      .slice(0, -1);
    const variable = `${MARKER}=`;
    const entry = read(pid, "environ")
      .split("\0")
      .find((one) => one.startsWith(variable));
    return { startTime, argv, marker: entry?.slice(variable.length) ?? null, readAt };
  }
}

/** FFmpegs of streams: the leaders of their groups with a marker below `locks`. */
export const pushersOf = (seen: readonly Seen[], locks: string): Seen[] =>
  seen.filter(
    ({ pid, group, marker, argv }) =>
      group === pid && marker?.startsWith(`${locks}/`) === true && argv[0] !== "setsid",
  );
