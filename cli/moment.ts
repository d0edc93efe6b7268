export const MOMENT_RULE =
  "use for instance 23:00 (the next time it is that late), 2027-01-31, 2027-01-31 23:00, or with a zone 2027-01-31T22:00:00Z";

const TIME = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{1,2}:\d{2}(?::\d{2})?))?$/;
const ZONED = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;

/** A moment by the local clock, as ISO 8601 in UTC; null for what is none. */
export const parseMoment = (text: string, now: number): string | null => {
  const trimmed = text.trim();
  const [zoned, date = ""] = ZONED.exec(trimmed) ?? [];
  if (zoned !== undefined) return isDate(date) ? iso(new Date(zoned)) : null;
  const today = new Date(now);
  const time = timeOf(trimmed);
  if (time !== null) {
    const [year, month, day] = [today.getFullYear(), today.getMonth(), today.getDate()];
    const at = new Date(year, month, day, ...time);
    // The calendar's next day, which need not come 24 hours later.
    return iso(at.getTime() > now ? at : new Date(year, month, day + 1, ...time));
  }
  const [, year, month, day, rest] = DATE.exec(trimmed) ?? [];
  const clock = rest === undefined ? ([0, 0, 0] as const) : timeOf(rest);
  if (year === undefined || clock === null) return null;
  const at = new Date(Number(year), Number(month) - 1, Number(day), ...clock);
  // 31 April would become 1 May.
  return at.getMonth() === Number(month) - 1 && at.getDate() === Number(day) ? iso(at) : null;
};

/** 31 February would become 3 March. */
const isDate = (date: string): boolean =>
  iso(new Date(`${date}T00:00Z`))?.startsWith(date) === true;

const timeOf = (text: string): readonly [number, number, number] | null => {
  const [, hours, minutes, seconds = "0"] = TIME.exec(text) ?? [];
  const time = [Number(hours), Number(minutes), Number(seconds)] as const;
  return time[0] <= 23 && time[1] <= 59 && time[2] <= 59 ? time : null;
};

const iso = (date: Date): string | null =>
  Number.isNaN(date.getTime()) ? null : date.toISOString();
