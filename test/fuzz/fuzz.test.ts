import t from "tap";
import { seeded } from "../helpers/seeded.ts";
import { CATALOGUE } from "./catalogue.ts";
import { flooded, fuzzed, timed } from "./engine.ts";
import { findingLines } from "./report.ts";

/** The short form; the long one is `npm run test:fuzz -- --seconds 600`. */
const TRIES = 500;
const FLOODS = 4;
const PUMPS = 6;

const { seed, random } = seeded();
t.comment(`seed ${seed}; to repeat it: STREAMBRO_TEST_SEED=${seed}`);

for (const target of CATALOGUE) {
  void t.test(target.name, async (t) => {
    const found = [
      await fuzzed(target, random, TRIES),
      await flooded(target, random, FLOODS),
      timed(target, random, PUMPS),
    ];
    for (const finding of found)
      if (finding !== null) t.fail(findingLines(finding).join("\n"), { seed });
    t.pass(`seed ${seed}`);
  });
}
