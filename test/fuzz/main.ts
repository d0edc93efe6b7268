import { EXIT } from "../../shared/errors.ts";
import { seeded } from "../helpers/seeded.ts";
import { CATALOGUE } from "./catalogue.ts";
import { type Given, USAGE, readCommandLine } from "./command-line.ts";
import { flooded, fuzzed, timed } from "./engine.ts";
import { findingLines } from "./report.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const say = (sentence: string): void => void process.stderr.write(`fuzz: ${sentence}\n`);

/** What each parser gets in one turn, so that all come round again and again until the time is over. */
const TRIES = 500;
const PUMPS = 6;

const run = async ({ seconds, seed: wanted, only }: Given): Promise<number> => {
  const { seed, random } = seeded(wanted);
  const again = ["npm run test:fuzz --", `--seed ${seed} --seconds ${seconds}`];
  say(
    `seed ${seed}; to repeat it: ${[...again, ...only.map((name) => `--only ${name}`)].join(" ")}`,
  );
  const until = performance.now() + seconds * 1_000;
  const failed = new Set<string>();
  let targets = CATALOGUE.filter(({ name }) => only.length === 0 || only.includes(name));
  let turns = 0;
  while (performance.now() < until && targets.length > 0) {
    for (const target of targets) {
      if (performance.now() > until && turns > 0) break;
      const found = [
        await fuzzed(target, random, TRIES),
        await flooded(target, random, PUMPS),
        timed(target, random, PUMPS),
      ].filter((finding) => finding !== null);
      for (const finding of found) for (const line of findingLines(finding)) print(line);
      if (found.length > 0) failed.add(target.name);
    }
    turns += 1;
    // One that has failed would fail the same way again.
    targets = targets.filter(({ name }) => !failed.has(name));
  }
  say(`${turns} turns of ${TRIES} inputs for each parser; ${failed.size} parsers failed`);
  return failed.size === 0 ? EXIT.ok : EXIT.failed;
};

const main = async (): Promise<number> => {
  const known = CATALOGUE.map(({ name }) => name);
  const given = readCommandLine(process.argv.slice(2), known);
  if (typeof given === "string") {
    say(`${given}. See: npm run test:fuzz -- --help`);
    return EXIT.usage;
  }
  if (given.help) process.stdout.write(USAGE);
  else if (given.list) for (const name of known) print(name);
  else return run(given);
  return EXIT.ok;
};

process.exitCode = await main();
