import { StreamBroError } from "../../shared/errors.ts";
import { printable } from "../../shared/stream-name.ts";
import { type Found, type LookUp, UNKNOWN, lookUp } from "./look-up.ts";

/** As `nameOf` calls those that have no name. */
const NUMBERED = /^uid-\d+$/;
const KEPT_MS = 60_000;
const MOST_KEPT = 1_000;
/** Questions to the machine that may be under way at once; further ones have to come again. */
const MOST_UNDER_WAY = 8;

/** The users of this machine by number and name. Answers are kept for a minute. */
export class Users {
  readonly #lookUp: LookUp;
  readonly #now: () => number;
  readonly #kept = new Map<string, { readonly at: number; readonly found: Promise<Found> }>();
  #underWay = 0;

  constructor(look: LookUp = lookUp, now: () => number = () => performance.now()) {
    this.#lookUp = look;
    this.#now = now;
  }

  /**
   * What owners are called and limits count by, one name a number; `uid-1234` for one that is no user's.
   * Errors: OPERATION_FAILED.
   */
  async nameOf(uid: number): Promise<string> {
    const found = await this.#find(String(uid));
    if (found.is === "unknown") throw notJustNow(`user ${uid}`);
    const isUser = found.is === "user" && found.user.uid === uid;
    // A user that is called like another's number is not that other one.
    return isUser && !isNumbered(found.user.name) ? found.user.name : `uid-${uid}`;
  }

  /**
   * The user's name as `nameOf` has it, where `asked` may be a number, be spelled differently, or be a
   * second name of one number.
   * Errors: INVALID_SPEC where there is no such user, OPERATION_FAILED.
   */
  async named(asked: string): Promise<string> {
    const found = await this.#find(asked);
    if (found.is === "user") return this.nameOf(found.user.uid);
    const shown = printable(asked);
    if (found.is === "unknown") throw notJustNow(shown);
    const sentence = `${shown} is no user of this machine. Limits count by its users: getent passwd`;
    throw new StreamBroError("INVALID_SPEC", sentence);
  }

  /** One question for all who ask it at once; one that was not answered is asked again. */
  #find(key: string): Promise<Found> {
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#now() - kept.at < KEPT_MS) return kept.found;
    if (this.#underWay >= MOST_UNDER_WAY) return Promise.resolve(UNKNOWN);
    this.#underWay += 1;
    const found = this.#lookUp(key)
      .catch(() => UNKNOWN)
      .then((answer) => {
        this.#underWay -= 1;
        if (answer.is === "unknown") this.#kept.delete(key);
        return answer;
      });
    this.#kept.delete(key);
    this.#kept.set(key, { at: this.#now(), found });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MOST_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return found;
  }
}

/** Whether it is what `nameOf` calls somebody who is no user of this machine. */
export const isNumbered = (name: string): boolean => NUMBERED.test(name);

export const notJustNow = (whom: string): StreamBroError =>
  new StreamBroError(
    "OPERATION_FAILED",
    `${whom} cannot be looked up: this machine's list of users does not answer. Try again.`,
  );
