import { fstatSync } from "node:fs";
import type { Environment } from "../../shared/paths.ts";

/** As syslog numbers them; what is no line of the log is somebody's word on what went wrong. */
const PRIORITY: Readonly<Record<string, number>> = { debug: 7, info: 6, warn: 4, error: 3 };

/** Whether what is written to a descriptor goes into systemd's journal. */
export const leadsToJournal = (fd: number, env: Environment): boolean => {
  const [device, inode] = (env["JOURNAL_STREAM"] ?? "").split(":");
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return `${dev}` === device && `${ino}` === inode;
  } catch {
    return false;
  }
};

/** Each line of a text with the priority of a level, which the journal takes off again. */
export const withPriority = (level: string, text: string): string =>
  text.replace(/^(?=.)/gm, `<${PRIORITY[level] ?? 6}>`);

/**
 * Makes a line of the log into one of the journal: its priority, the sentence, and as JSON all fields
 * but those that the journal has itself, `event` first. `prettify` makes something else of it.
 */
export const journalLine =
  (prettify: ((line: string) => string) | null = null) =>
  (line: string): string => {
    try {
      const { level, time: _time, msg, event, ...fields } = JSON.parse(line);
      const sentence = String(msg).replace(/\p{Cc}/gu, "\uFFFD");
      const text = prettify?.(line) ?? `${sentence} ${JSON.stringify({ event, ...fields })}\n`;
      return withPriority(level, text);
    } catch {
      return line;
    }
  };
