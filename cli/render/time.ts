const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The two largest units that matter, as `3 d 4 h`, `6 h 12 min`, `2 min 5 s`, `1.2 s`. */
export const spoken = (ms: number): string => {
  const time = Math.max(0, ms);
  if (time < 10 * SECOND) {
    const tenths = Math.round(time / 100);
    return `${tenths % 10 === 0 ? tenths / 10 : (tenths / 10).toFixed(1)} s`;
  }
  const rounded = Math.round(time / SECOND) * SECOND;
  if (rounded < MINUTE) return `${rounded / SECOND} s`;
  if (rounded < HOUR) return pair(rounded, MINUTE, "min", SECOND, "s");
  if (rounded < DAY) return pair(rounded, HOUR, "h", MINUTE, "min");
  return pair(rounded, DAY, "d", HOUR, "h");
};

const pair = (
  ms: number,
  unit: number,
  name: string,
  lesser: number,
  lesserName: string,
): string => {
  const most = Math.floor(ms / unit);
  const rest = Math.floor((ms % unit) / lesser);
  return rest === 0 ? `${most} ${name}` : `${most} ${name} ${rest} ${lesserName}`;
};

/** The same for a column of a table: `3d 4h`, `6h 12m`, `2m 5s`, `8s`. */
export const terse = (ms: number): string =>
  spoken(Math.floor(Math.max(0, ms) / SECOND) * SECOND)
    .replace("min", "m")
    .replaceAll(/(\d) /g, "$1");

const two = (value: number): string => String(value).padStart(2, "0");

/** A place in a recording, as its player would show it: `02:10`, `1:02:10`. */
export const playhead = (ms: number): string => {
  const seconds = Math.floor(Math.max(0, ms) / SECOND);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = `${two(minutes)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
};

/** A moment by the local clock, to the second, as it sorts: `2026-11-23 03:12:09`. */
export const stamp = (instant: string): string => {
  const then = new Date(instant);
  if (Number.isNaN(then.getTime())) return "-";
  const day = `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}`;
  return `${day} ${two(then.getHours())}:${two(then.getMinutes())}:${two(then.getSeconds())}`;
};

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A moment by the local clock: `20:04` today, `Nov 3 20:04` this year, else the date alone. */
export const clock = (instant: string, now: number): string => {
  const [then, today] = [new Date(instant), new Date(now)];
  if (Number.isNaN(then.getTime())) return "-";
  const time = `${two(then.getHours())}:${two(then.getMinutes())}`;
  const day = `${MONTHS[then.getMonth()]} ${then.getDate()}`;
  if (then.getFullYear() !== today.getFullYear()) return `${day} ${then.getFullYear()}`;
  const same = then.getMonth() === today.getMonth() && then.getDate() === today.getDate();
  return same ? time : `${day} ${time}`;
};
