import { writeFileSync } from "node:fs";
import { EXIT } from "../../shared/errors.ts";
import { seeded } from "../helpers/seeded.ts";
import { CATALOGUE } from "./catalogue.ts";
import { type Given, USAGE, readCommandLine } from "./command-line.ts";
import { planOf } from "./plan.ts";
import { isBroken, roundLine, summary, violationLine } from "./report.ts";
import { type Seen, carryOut } from "./suite.ts";

const { stdout, stderr } = process;
const print = (line: string): void => void stdout.write(`${line}\n`);
const say = (sentence: string): void => void stderr.write(`faults: ${sentence}\n`);

const write = (file: string, seed: number, seen: Seen): void => {
  const { violations, skipped, ...rest } = seen;
  const broken = { violations: violations.all, counts: Object.fromEntries(violations.counts) };
  const all = { version: 1, seed, ...rest, ...broken, skipped: Object.fromEntries(skipped) };
  writeFileSync(file, `${JSON.stringify(all)}\n`);
};

const run = async (given: Given): Promise<number> => {
  const { seed } = seeded(given.seed);
  const { short: isShort, only } = given;
  const rounds = given.rounds ?? (isShort ? 7 : 200);
  const messages = given.messages ?? (isShort ? 3_000 : 100_000);
  const plan = planOf({ seed, rounds, messages, only, catalogue: CATALOGUE, isShort });
  const again = [
    "npm run test:faults --",
    ...(isShort ? ["--short"] : []),
    ...[`--rounds ${rounds} --seed ${seed}`, ...only.map((name) => `--only ${name}`)],
  ].join(" ");
  say(`seed ${seed}; to repeat it: ${again}`);
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => interrupted.abort());
  for (const stream of [stdout, stderr]) stream.on("error", () => interrupted.abort());
  const began = performance.now();
  const at = (): string => `${((performance.now() - began) / 1_000).toFixed(0).padStart(5)}s`;
  const telling = {
    outcome: (outcome: Parameters<typeof roundLine>[0]): void =>
      print(`${at()} ${roundLine(outcome)}`),
    violation: (violation: Parameters<typeof violationLine>[0]): void =>
      print(`${at()} ${violationLine(violation)}`),
  };
  const seen = await carryOut(plan, telling, interrupted.signal);
  for (const line of summary(seen)) print(line);
  if (given.json !== null) write(given.json, seed, seen);
  if (isBroken(seen)) {
    say(`something was broken with seed ${seed}. To repeat it: ${again}`);
    return EXIT.failed;
  }
  if (interrupted.signal.aborted) {
    say("interrupted: this is what there was until then");
    return EXIT.interrupted;
  }
  return EXIT.ok;
};

const main = async (): Promise<number> => {
  const known = CATALOGUE.map(({ name }) => name);
  const given = readCommandLine(process.argv.slice(2), known);
  if (typeof given === "string") {
    say(`${given}. See: npm run test:faults -- --help`);
    return EXIT.usage;
  }
  if (given.help) stdout.write(USAGE);
  else if (given.list) for (const name of known) print(name);
  else {
    try {
      return await run(given);
    } catch (error) {
      say(`could not be carried out: ${error instanceof Error ? error.stack : String(error)}`);
      return EXIT.failed;
    }
  }
  return EXIT.ok;
};

process.exitCode = await main();
