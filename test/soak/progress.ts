import { spoken } from "../../cli/render/time.ts";
import type { Progress } from "./soak.ts";

const EVERY_MS = 60_000;

/** Tells on stderr how far it is: on a terminal in one line that changes, elsewhere once a minute. */
export const progressLine = (stream: NodeJS.WriteStream): ((progress: Progress) => void) => {
  const terminal = stream.isTTY;
  let due = EVERY_MS;
  return (progress) => {
    if (!terminal && progress.elapsedMs < due) return;
    due = progress.elapsedMs + EVERY_MS;
    stream.write(terminal ? `\r\x1b[K${worded(progress)}` : `${worded(progress)}\n`);
  };
};

export const clearLine = (stream: NodeJS.WriteStream): void => {
  if (stream.isTTY) stream.write("\r\x1b[K");
};

const worded = ({ tally, elapsedMs, rss, part }: Progress): string => {
  const { cycles } = tally;
  const failures = [...tally.failures.values()].reduce((sum, times) => sum + times, 0);
  const done = `${Math.min(100, part * 100).toFixed(0)} %`;
  return `soak: ${done}, ${spoken(elapsedMs)}, ${cycles} cycles, ${failures} failures, daemon ${(rss / 1_048_576).toFixed(1)} MB`;
};
