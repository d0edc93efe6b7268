import { readFile } from "node:fs/promises";
import { runBounded } from "../media/bounded.ts";

/** A group's number; `unknown`: it cannot be found out just now. */
export type FoundGroup =
  | { readonly is: "group"; readonly gid: number }
  | { readonly is: "none" }
  | { readonly is: "unknown" };

/** Finds a group by name, as `getent` does. Settles in time. */
export type LookUpGroup = (name: string) => Promise<FoundGroup>;

/** getent: one or more supplied keys could not be found. */
const NOT_FOUND = 2;
const WITHIN_MS = 3_000;
/** A group is listed with its members. */
const MOST_BYTES = 1024 * 1024;

const NONE: FoundGroup = { is: "none" };

/** In /etc/group, which costs nothing; then wherever else this machine keeps its groups. */
export const lookUpGroup: LookUpGroup = async (name) => {
  const local = gidIn(await readFile("/etc/group", "utf8").catch(() => ""), name);
  if (local !== null) return { is: "group", gid: local };
  // In a process of its own: a name service that hangs holds up nobody but who asks.
  const { stdout, exitCode, timedOut, missing } = await runBounded(
    "getent group",
    ["getent", "group", name],
    { withinMs: WITHIN_MS, mostBytes: MOST_BYTES },
  );
  if (timedOut) return { is: "unknown" };
  const gid = exitCode === 0 ? gidIn(stdout.toString("utf8"), name) : null;
  if (gid !== null) return { is: "group", gid };
  return exitCode === NOT_FOUND || exitCode === 0 || missing ? NONE : { is: "unknown" };
};

/** In the text of a group file. */
export const gidIn = (text: string, wanted: string): number | null => {
  for (const line of text.split("\n")) {
    const [name, , gid = ""] = line.split(":");
    if (name === wanted && /^\d{1,10}$/.test(gid)) return Number(gid);
  }
  return null;
};

const KEPT_MS = 60_000;
/** Where there was no answer it is asked again, though not by each who comes. */
const RETRY_MS = 5_000;

/** The number of one group, kept for a minute. */
export class Group {
  readonly name: string;
  readonly #lookUp: LookUpGroup;
  readonly #now: () => number;
  #kept: { readonly until: number; readonly gid: Promise<number | null> } | null = null;

  constructor(
    name: string,
    look: LookUpGroup = lookUpGroup,
    now: () => number = () => performance.now(),
  ) {
    this.name = name;
    this.#lookUp = look;
    this.#now = now;
  }

  /** Null where there is no such group, or where that cannot be found out just now. Never rejects. */
  gid(): Promise<number | null> {
    const kept = this.#kept;
    if (kept !== null && this.#now() < kept.until) return kept.gid;
    const found = this.#lookUp(this.name).catch((): FoundGroup => ({ is: "unknown" }));
    const gid = found.then((answer) => {
      const isKnown = answer.is !== "unknown";
      this.#kept = { until: this.#now() + (isKnown ? KEPT_MS : RETRY_MS), gid };
      return answer.is === "group" ? answer.gid : null;
    });
    this.#kept = { until: this.#now() + KEPT_MS, gid };
    return gid;
  }
}
