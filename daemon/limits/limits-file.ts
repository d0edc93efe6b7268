import path from "node:path";
import { z } from "zod";
import { UserLimit } from "../../shared/contract/daemon.ts";
import { writeAtomically } from "../store/atomic-file.ts";
import { keepUnknown } from "../store/keep-unknown.ts";
import { readLoneRecord } from "../store/lone-record.ts";
import { readRecord } from "../store/record-file.ts";
import { storageFailure } from "../store/records.ts";

/** `limits.json`: what `limits set` has changed; null goes by the settings. */
export const LimitsRecord = z.object({
  version: z.literal(1),
  perUser: UserLimit.nullable(),
  global: UserLimit.nullable(),
  users: z.record(z.string().min(1).max(64), UserLimit),
});
export type LimitsRecord = z.infer<typeof LimitsRecord>;

export const NO_LIMITS: LimitsRecord = { version: 1, perUser: null, global: null, users: {} };

/** A record of null is there and cannot be read just now; a complaint is for the operator. */
export type ReadLimits = {
  readonly record: LimitsRecord | null;
  readonly complaint: string | null;
};

const INSTEAD = "Limits are those of the settings";

/** What can never be read is set aside; what cannot be read just now, or by this release, stays in place. */
export const readLimits = (file: string, now: number): ReadLimits => {
  const found = readLoneRecord(file, LimitsRecord, now);
  switch (found.is) {
    case "good":
      return { record: found.value, complaint: null };
    case "none":
      return { record: NO_LIMITS, complaint: null };
    case "unread": {
      const complaint = `${file} cannot be read just now (${found.why}); it is left as it is. ${INSTEAD}.`;
      return { record: null, complaint };
    }
    case "newer": {
      const complaint = `${file} is left as it is: ${found.why}. ${INSTEAD}.`;
      return { record: null, complaint };
    }
    case "aside": {
      const aside = `it was set aside as ${found.movedTo}`;
      const complaint = `${file} could not be read (${found.why}); ${aside}. ${INSTEAD}.`;
      return { record: NO_LIMITS, complaint };
    }
    default:
      return found satisfies never;
  }
};

/** What a newer release has added stays. Errors: STORAGE_FAILED, with what was there still there. */
export const writeLimits = async (file: string, record: LimitsRecord): Promise<void> => {
  try {
    const found = readRecord(file, LimitsRecord);
    const whole = found.is === "good" ? keepUnknown(found.raw, found.value, record) : record;
    await writeAtomically(file, `${JSON.stringify(whole, null, 2)}\n`, 0o640);
  } catch (error) {
    throw storageFailure(path.dirname(file), error);
  }
};
