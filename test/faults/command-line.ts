import { parseArgs } from "node:util";

export const USAGE = `usage: npm run test:faults -- [--rounds 200] [--seed N] [--only FAULT]... [--messages 100000]
                              [--short] [--list] [--json FILE]

Inflicts random faults on real streams of a streambrod of its own, several at once, and checks from
outside all the while that what must never happen does not. At the end a table says how long each kind
of fault kept its streams off the air, and what was broken. Ctrl-C ends it early, with the table.

  --rounds N    so many faults (200; with --short 7)
  --seed N      repeats the same faults on the same streams; each run prints its own
  --only FAULT  nothing but this one; may be given again for several
  --messages N  generated JSON-RPC messages, over all rounds (100,000; with --short 3,000)
  --short       few streams, and every fault for a short time: what ./scripts/test runs
  --list        says which faults there are, and ends
  --json FILE   writes everything that was seen

Exit status: 0 nothing was broken, 1 something was, 2 usage, 130 interrupted.
`;

export type Given = {
  readonly rounds: number | null;
  readonly seed: number | null;
  readonly messages: number | null;
  readonly only: readonly string[];
  readonly short: boolean;
  readonly list: boolean;
  readonly json: string | null;
  readonly help: boolean;
};

/** What was asked for, or a sentence that says what is wrong with it. `known`: the faults there are. */
export const readCommandLine = (
  argv: readonly string[],
  known: readonly string[],
): Given | string => {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = {
    ...{ rounds: text, seed: text, messages: text, json: text, short: flag, list: flag },
    only: { type: "string", multiple: true },
    help: { type: "boolean", short: "h" },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];
  try {
    ({ values } = parseArgs({ args: [...argv], options }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const wrong: string[] = [];
  const number = (name: "rounds" | "seed" | "messages", most: number): number | null => {
    const given = values[name];
    if (given === undefined) return null;
    const value = /^\d{1,10}$/.test(given) ? Number(given) : Number.NaN;
    if (value > 0 && value <= most) return value;
    wrong.push(`--${name} takes a whole number above 0, ${most} at most, not "${given}"`);
    return null;
  };
  const only = values.only ?? [];
  const strange = only.find((name) => !known.includes(name));
  if (strange !== undefined)
    wrong.push(`there is no fault "${strange}"; there are ${known.join(", ")}`);
  const given = {
    rounds: number("rounds", 100_000),
    seed: number("seed", 2_147_483_645),
    messages: number("messages", 10_000_000),
    ...{ only, json: values.json ?? null },
    ...{ short: values.short ?? false, list: values.list ?? false, help: values.help ?? false },
  };
  return wrong[0] ?? given;
};
