import { parseArgs } from "node:util";

export const USAGE = `usage: npm run test:fuzz -- [--seconds 60] [--seed N] [--only PARSER]... [--list]

Hands every parser that reads what others write inputs that nobody would write, and checks what must be
so whatever it is given: docs are in SECURITY.md. What fails is made as short as it can be and printed
as a line of a regression test.

  --seconds N    for so long, all parsers together (60)
  --seed N       repeats the same inputs; each run prints its own
  --only PARSER  nothing but this one; may be given again for several
  --list         says which parsers there are, and ends

Exit status: 0 nothing was found, 1 something was, 2 usage.
`;

export type Given = {
  readonly seconds: number;
  readonly seed: number | null;
  readonly only: readonly string[];
  readonly list: boolean;
  readonly help: boolean;
};

/** What was asked for, or a sentence that says what is wrong with it. */
export const readCommandLine = (
  argv: readonly string[],
  known: readonly string[],
): Given | string => {
  const options = {
    seconds: { type: "string" },
    seed: { type: "string" },
    list: { type: "boolean" },
    only: { type: "string", multiple: true },
    help: { type: "boolean", short: "h" },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];
  try {
    ({ values } = parseArgs({ args: [...argv], options }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { only = [], list = false, help = false } = values;
  const strange = only.find((name) => !known.includes(name));
  if (strange !== undefined)
    return `there is no parser "${strange}"; there are ${known.join(", ")}`;
  for (const name of ["seconds", "seed"] as const) {
    const given = values[name];
    if (given !== undefined && !/^[1-9]\d{0,8}$/.test(given))
      return `--${name} takes a whole number above 0, not "${given}"`;
  }
  const seed = values.seed === undefined ? null : Number(values.seed);
  return { seconds: Number(values.seconds ?? 60), seed, only, list, help };
};
