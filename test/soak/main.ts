import { writeFileSync } from "node:fs";
import { table } from "../../cli/render/table.ts";
import { EXIT } from "../../shared/errors.ts";
import { seeded } from "../helpers/seeded.ts";
import { type Given, USAGE, readCommandLine } from "./command-line.ts";
import type { Measured } from "./measured.ts";
import { planOf } from "./plan.ts";
import { clearLine, progressLine } from "./progress.ts";
import { soak } from "./soak.ts";
import { type Row, verdicts } from "./verdicts.ts";

const { stdout, stderr } = process;
const say = (sentence: string): void => void stderr.write(`soak: ${sentence}\n`);

const verdict = ({ met }: Row): string => (met === null ? "-" : met ? "met" : "NOT MET");

const print = (rows: readonly Row[]): void => {
  const columns = [
    { title: "METRIC", text: ({ metric }: Row) => metric },
    { title: "MEASURED", text: ({ measured }: Row) => measured },
    { title: "WANTED", text: ({ wanted }: Row) => wanted },
    { title: "VERDICT", text: verdict },
  ];
  stdout.write(`${table(columns, rows, null).join("\n")}\n`);
};

const write = (file: string, seed: number, seen: Measured, rows: readonly Row[]): void => {
  const failures = Object.fromEntries(seen.tally.failures);
  const all = { version: 1, seed, rows, ...seen, tally: { ...seen.tally, failures } };
  writeFileSync(file, `${JSON.stringify(all)}\n`);
};

const carryOut = async (given: Given): Promise<number> => {
  const { seed, random } = seeded(given.seed);
  say(`seed ${seed}`);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
  // Who reads may leave early; the cleaning up goes on.
  for (const stream of [stdout, stderr]) stream.on("error", interrupt);
  const seen = await soak(planOf({ ...given, random }), interrupted.signal, progressLine(stderr));
  clearLine(stderr);
  const rows = verdicts(seen);
  print(rows);
  if (given.json !== null) write(given.json, seed, seen, rows);
  for (const line of [...seen.errors.first, ...seen.leftRunning]) say(line);
  if (seen.cutShort) {
    say("interrupted: this is what there was until then");
    return EXIT.interrupted;
  }
  const unmet = rows.filter(({ met }) => met === false);
  for (const { metric, measured, wanted } of unmet)
    say(`not met: ${metric}: ${measured}, wanted ${wanted}`);
  return unmet.length === 0 ? EXIT.ok : EXIT.failed;
};

const main = async (): Promise<number> => {
  const given = readCommandLine(process.argv.slice(2));
  if (typeof given === "string") {
    say(`${given}. See: npm run soak -- --help`);
    return EXIT.usage;
  }
  if (given.help) {
    stdout.write(USAGE);
    return EXIT.ok;
  }
  try {
    return await carryOut(given);
  } catch (error) {
    clearLine(stderr);
    say(`could not be carried out: ${error instanceof Error ? error.message : String(error)}`);
    return EXIT.failed;
  }
};

process.exitCode = await main();
