import { parseArgs } from "node:util";

export const USAGE = `usage: npm run soak -- [--cycles 2000] [--hours H] [--streams 4] [--seed N] [--heap] [--json FILE]

Puts a streambrod of its own under stress, with a real RTMP server on this machine, and measures it:
streams are started and stopped over and over while others stay on the air. At the end a table says
what was measured, what is wanted, and whether that is met. Ctrl-C ends it early, with the table.

  --cycles N    so many starts and stops; 2,000 where --hours is not given
  --hours H     so many hours (24, or 0.5) at the pace of real use, killing an FFmpeg now and then
  --streams N   streams that stay on the air all the while (4)
  --seed N      repeats the same random choices; each run prints its own
  --heap        with --hours: collects the daemon's garbage after each tenth (without, that is always so)
  --json FILE   writes everything that was seen, sample by sample

Exit status: 0 every demand is met, 1 one is not, 2 usage, 130 interrupted.
`;

export type Given = {
  readonly cycles: number | null;
  readonly hours: number | null;
  readonly streams: number | null;
  readonly seed: number | null;
  readonly json: string | null;
  readonly heap: boolean;
  readonly help: boolean;
};

/** What was asked for, or a sentence that says what is wrong with it. */
export const readCommandLine = (argv: readonly string[]): Given | string => {
  const text = { type: "string" } as const;
  const options = {
    ...{ cycles: text, hours: text, streams: text, seed: text, json: text },
    heap: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];
  try {
    ({ values } = parseArgs({ args: [...argv], options }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const wrong: string[] = [];
  const number = (name: "cycles" | "hours" | "streams" | "seed", most: number): number | null => {
    const given = values[name];
    if (given === undefined) return null;
    const whole = name !== "hours";
    const value = (whole ? /^\d{1,10}$/ : /^\d{1,5}(\.\d{1,4})?$/).test(given)
      ? Number(given)
      : Number.NaN;
    if (value > 0 && value <= most) return value;
    wrong.push(
      `--${name} takes a ${whole ? "whole number" : "number"} above 0, ${most} at most, not "${given}"`,
    );
    return null;
  };
  const given = {
    cycles: number("cycles", 10_000_000),
    hours: number("hours", 10_000),
    streams: number("streams", 200),
    seed: number("seed", 2_147_483_646),
    json: values.json ?? null,
    heap: values.heap ?? false,
    help: values.help ?? false,
  };
  return wrong[0] ?? given;
};
