import { parseDuration } from "./duration.ts";
import { parseMoment } from "./moment.ts";

export const PAST_RULE =
  "use for instance 7d or 2h (so long ago), 03:00 (the last time it was that late), 2027-01-31, 2027-01-31 23:00, or with a zone 2027-01-31T22:00:00Z";

const MOST_AGO_MS = 3_660 * 86_400_000;

/** A moment that lies behind us, as ISO 8601 in UTC; null for what is none. */
export const parsePast = (text: string, now: number): string | null => {
  const ago = parseDuration(text.trim(), MOST_AGO_MS);
  if (ago !== null) return new Date(now - ago).toISOString();
  const moment = parseMoment(text, now);
  const isTimeOfDay = /^\s*\d{1,2}:/.test(text);
  if (moment === null || !isTimeOfDay || Date.parse(moment) <= now) return moment;
  const next = new Date(moment);
  // The calendar's day before, which need not be 24 hours ago.
  next.setDate(next.getDate() - 1);
  return next.toISOString();
};
