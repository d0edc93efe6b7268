import { printable } from "../../shared/stream-name.ts";
import type { Failure } from "../ffmpeg/failure.ts";
import { find } from "../users/look-up.ts";
import { readFile } from "node:fs/promises";
import { type FindAccount, type FoundAccount, findAccount } from "./accounts.ts";
import type { Input, Opening } from "./input.ts";

export type Reached =
  | { readonly ok: true; readonly input: Input }
  | { readonly ok: false; readonly failure: Failure };

/** Somebody who was just given a group does not try again for longer. */
const KEPT_MS = 10_000;
const MOST_KEPT = 1_000;

type Kept = { readonly at: number; readonly found: FoundAccount };

/** In whose name the inputs of a stream are opened: what the owner may not read, no stream of it plays. */
export class Reach {
  readonly #uid: number;
  readonly #program: string;
  readonly #find: FindAccount;
  readonly #now: () => number;
  readonly #kept = new Map<string, Kept>();
  /** Looked up just now: a hundred streams of one owner ask once. */
  readonly #asked = new Map<string, Promise<FoundAccount>>();

  /** `uid` is the daemon's own; `program` the path of the one that walks. */
  constructor(
    uid: number,
    program: string,
    look: FindAccount = findAccount,
    now = (): number => performance.now(),
  ) {
    this.#uid = uid;
    this.#program = program;
    this.#find = look;
    this.#now = now;
  }

  /** A file as the owner's; nothing is opened yet. Settles in time. */
  async of(owner: string, path: string): Promise<Reached> {
    const account = await this.#account(owner);
    if (typeof account === "string") return { ok: false, failure: notFound(owner, account) };
    if (this.#isExempt(account.uid)) return { ok: true, input: { path, opening: OWN } };
    const opening: Opening =
      this.#uid === 0
        ? { as: "owner", account }
        : { as: "descriptor", account, program: this.#program, daemon: await nameOf(this.#uid) };
    return { ok: true, input: { path, opening } };
  }

  /** Whether an input is opened, and FFmpeg run, in another way for the one than for the other. */
  async differs(owner: string, other: string): Promise<boolean> {
    if (owner === other) return false;
    const [one, two] = await Promise.all([this.of(owner, "/"), this.of(other, "/")]);
    return !(
      one.ok &&
      two.ok &&
      one.input.opening.as === "daemon" &&
      two.input.opening.as === "daemon"
    );
  }

  #isExempt(uid: number): boolean {
    return uid === 0 || uid === this.#uid;
  }

  async #account(owner: string): Promise<FoundAccount> {
    const kept = this.#kept.get(owner);
    if (kept !== undefined && this.#now() - kept.at < KEPT_MS) return kept.found;
    const asked = this.#asked.get(owner);
    if (asked !== undefined) return asked;
    const asking = this.#ask(owner, kept).finally(() => this.#asked.delete(owner));
    this.#asked.set(owner, asking);
    return asking;
  }

  async #ask(owner: string, kept: Kept | undefined): Promise<FoundAccount> {
    const found = await this.#find(owner, (uid) => this.#isExempt(uid)).catch(
      () => "unknown" as const,
    );
    // Better what was so a while ago than a stream that a directory service takes off the air, or that
    // waits for its answer at each start.
    const known = found === "unknown" ? kept?.found : found;
    if (known === undefined) return found;
    this.#kept.delete(owner);
    this.#kept.set(owner, { at: this.#now(), found: known });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return known;
  }
}

const OWN: Opening = { as: "daemon" };

/** For a sentence only. */
const nameOf = async (uid: number): Promise<string> =>
  find(await readFile("/etc/passwd", "utf8").catch(() => ""), String(uid))?.name ?? String(uid);

const notFound = (owner: string, why: "nobody" | "unknown"): Failure => {
  const whom = printable(owner);
  const message =
    why === "nobody"
      ? `${whom}, whose stream it is, is no user of this machine any more. Give it to another: streambro set NAME --owner USER`
      : `${whom}, whose stream it is, cannot be looked up: this machine's list of users does not answer. Try again`;
  return { reason: "input-missing", permanent: false, message };
};
