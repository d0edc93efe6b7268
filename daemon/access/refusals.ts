import { StreamBroError } from "../../shared/errors.ts";
import { printable } from "../../shared/stream-name.ts";
import { UNKNOWN_OWNER } from "../registry/left-alone.ts";
import { ADMIN_GROUP } from "./asker.ts";

export const ADMINS = `root, the daemon's own user and members of ${ADMIN_GROUP}`;

const notPermitted = (sentence: string): StreamBroError =>
  new StreamBroError("NOT_PERMITTED", sentence);

/** `doing` is what follows "may". */
export const forAdmins = (doing: string): StreamBroError =>
  notPermitted(`only ${ADMINS} may ${doing}.`);

export const optionForAdmins = (option: string): StreamBroError =>
  notPermitted(`${option} is for ${ADMINS}. Leave it out.`);

export const othersStream = (name: string, owner: string, doing: string): StreamBroError => {
  const whose = printable(owner, 64);
  return owner === UNKNOWN_OWNER
    ? notPermitted(`${name}: its owner is not known; only ${ADMINS} may ${doing}.`)
    : notPermitted(
        `${name}: belongs to ${whose}; only ${whose} and members of ${ADMIN_GROUP} may ${doing}.`,
      );
};

export const noUser = (uid: number | null): StreamBroError =>
  notPermitted(
    `uid ${uid} is no user of this machine, and only its users may have streams. An admin can add it for one: --owner.`,
  );

export const tooManyRequests = (sentence: string): StreamBroError =>
  new StreamBroError("TOO_MANY_REQUESTS", sentence);
