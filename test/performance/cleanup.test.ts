import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { CleanupManager } from "../../daemon/cleanup/cleanup-manager.ts";
import { removeOrphans } from "../../daemon/cleanup/orphans.ts";
import { systemClock } from "../../daemon/clock/clock.ts";
import { SettingsSchema } from "../../daemon/config/settings.ts";
import type { Log } from "../../daemon/log/log.ts";
import { placesOf } from "../../daemon/store/layout.ts";
import { Store } from "../../daemon/store/store.ts";
import { processOf } from "../helpers/processes.ts";

const FEW = 100;
const MANY = 1_000;
/** The best of several, so that what else the machine does counts for little. */
const ROUNDS: Readonly<Record<number, number>> = { [FEW]: 5, [MANY]: 2 };
/** How much dearer one of many may be than one of few: a quadratic cleanup would come to ten. */
const DEARER = 3;

const FILES = ["run.json", "pids", "progress", "exit", "outer.ffconcat", "middle.ffconcat"];

const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `s-${at}`);

/** As a run leaves it. */
const layOutRun = (store: Store, name: string): void => {
  const { run, log } = placesOf(store.layout, name);
  mkdirSync(run);
  for (const file of [...FILES, "cycle.ffconcat", "output-0.ffpreset"])
    writeFileSync(path.join(run, file), "what a run leaves\n");
  symlinkSync("/nowhere/film.mp4", path.join(run, "item-0.mp4"));
  writeFileSync(log, "what FFmpeg said\n");
};

const silent: Log = {
  ...{ debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  child: () => silent,
};

t.test("Test cleanup performance with many streams", async (t) => {
  const home = mkdtempSync(path.join(os.tmpdir(), "sb-cleanup-"));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const store = new Store(path.join(home, "state"), path.join(home, "run"));
  const failures: string[] = [];
  const manager = new CleanupManager({
    settings: () => SettingsSchema.parse({}),
    clock: systemClock,
    log: { ...silent, error: (_, sentence) => void failures.push(sentence) },
    places: (name) => placesOf(store.layout, name),
    ...{ forgetRetries: () => 0, forgetNotes: () => {}, onCleanup: () => {} },
    removeOrphans: (active) => removeOrphans(store, active),
  });
  const runs = (): string[] =>
    readdirSync(store.layout.runs).filter((name) => name.startsWith("s-"));

  // One that is a stream's, and one that is nobody's and under a living process.
  for (const name of ["active", "alive"]) layOutRun(store, name);
  const living = spawn("sleep", ["600"], { stdio: "ignore" });
  t.teardown(() => living.kill());
  const { pid, startTime } = processOf(living.pid ?? 0) ?? {};
  writeFileSync(
    path.join(placesOf(store.layout, "alive").run, "pids"),
    `${pid} ${startTime} ${pid} ${startTime}\n`,
  );

  /** CPU time for one of `count`, the least of some rounds: by the clock other work would count too. */
  const cost = async (count: number, clean: () => Promise<unknown>): Promise<number> => {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < (ROUNDS[count] ?? 1); round += 1) {
      for (const name of names(count)) layOutRun(store, name);
      const begun = process.cpuUsage();
      await clean();
      const { user, system } = process.cpuUsage(begun);
      least = Math.min(least, user + system);
      t.same(runs(), [], `${count} are gone`);
    }
    return least / count;
  };
  const compare = async (
    what: string,
    clean: (count: number) => () => Promise<unknown>,
  ): Promise<void> => {
    const few = await cost(FEW, clean(FEW));
    const many = await cost(MANY, clean(MANY));
    const text = `${what}: one of ${MANY} costs ${(many / few).toFixed(2)} times one of ${FEW}`;
    t.comment(text);
    t.ok(many < few * DEARER, text);
  };

  await compare("orphans", () => async () => manager.cleanupOrphanedFiles(["active"]));
  await compare("full cleanup", (count) => async () => {
    for (const name of names(count)) await manager.fullCleanup(name);
  });

  for (const name of ["active", "alive"]) {
    const { run } = placesOf(store.layout, name);
    t.equal(readdirSync(run).length, FILES.length + 3, `nothing of ${name} was touched`);
  }
  t.ok(existsSync(placesOf(store.layout, "active").log));
  t.same(failures, []);
});
