import { copyFileSync, lstatSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { withoutDaemon } from "./daemon-faults.ts";
import type { Fault, Round } from "./fault.ts";

/** How a file can be spoiled, and what that is called. */
const SPOILERS = {
  emptied: (file: string): void => writeFileSync(file, ""),
  halved: (file: string): void => {
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, Math.floor(whole.length / 2)));
  },
  garbled: (file: string): void => writeFileSync(file, "\0\xff{]\n"),
  deleted: (file: string): void => rmSync(file, { force: true }),
} as const;
type Spoiler = keyof typeof SPOILERS;

const spoil = ({ pick }: Pick<Round, "pick">, file: string): Spoiler | "not there" => {
  const wanted = pick(Object.keys(SPOILERS) as Spoiler[]);
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) return "not there";
  // A FIFO has nothing in it, and whoever opens one waits.
  const how = found.isFile() ? wanted : "deleted";
  SPOILERS[how](file);
  return how;
};

/** Spoils files of one stream while no daemon is there; that must cost nothing. */
const spoiled = (
  name: string,
  weight: number,
  filesOf: (round: Round, stream: string) => readonly string[],
): Fault => ({
  name,
  takes: 2,
  daemon: true,
  weight,
  inflict: async (round) => {
    const { stage, targets, pick } = round;
    const done: string[] = [];
    await withoutDaemon(stage, () => {
      for (const target of targets) {
        const file = pick(filesOf(round, target.name));
        done.push(`${path.basename(file)} ${spoil(round, file)}`);
      }
    });
    // The file that a run is found by can be the one that is spoiled, not the run.
    return { detail: done.join(", "), boundMs: stage.bounds.untold, unharmed: targets };
  },
});

const tornMemory = spoiled("torn-memory", 2, ({ stage }, stream) => [
  path.join(stage.daemon.stateDir, "memory", `${stream}.json`),
]);

/** Both are held open by those who use them: another file of that name is not the same. */
const tornLock = spoiled("torn-lock-or-log", 1, ({ stage }, stream) => [
  path.join(stage.daemon.stateDir, "locks", stream),
  path.join(stage.daemon.stateDir, "logs", `${stream}.log`),
]);

const tornRun = spoiled("torn-run-directory", 2, ({ stage }, stream) =>
  ["run.json", "pids", "progress", "alive"].map((name) =>
    path.join(stage.daemon.runtimeDir, "runs", stream, name),
  ),
);

/** Films of this suite are played in less: by then FFmpeg has opened its list again. */
const PASS_MS = 20_000;

/** FFmpeg opens its list again at each item's end, and what it finds there is not the list any more. */
const tornPlaylist: Fault = {
  name: "torn-playlist",
  isLong: true,
  takes: 1,
  daemon: false,
  weight: 1,
  inflict: async (round) => {
    const { stage, targets } = round;
    const done = targets.map(({ name }) =>
      spoil(round, path.join(stage.daemon.runtimeDir, "runs", name, "cycle.ffconcat")),
    );
    await after(PASS_MS);
    return { detail: done.join(", "), boundMs: stage.bounds.input };
  },
};

const tornDaemonFiles: Fault = {
  name: "torn-daemon-files",
  takes: 0,
  daemon: true,
  weight: 1,
  inflict: async (round) => {
    const { stage, pick } = round;
    const names = ["metrics.json", "limits.json", "encoders.json", "salt", "daemon.lock"];
    const done: string[] = [];
    await withoutDaemon(stage, () => {
      for (let n = 0; n < 2; n += 1) {
        const name = pick(names);
        done.push(`${name} ${spoil(round, path.join(stage.daemon.stateDir, name))}`);
      }
    });
    return { detail: done.join(", "), boundMs: 0 };
  },
};

/**
 * A specification that somebody cut off: the daemon sets it aside and says what is on the air without an
 * owner; the operator puts it back, and the next daemon takes the stream up as if nothing had been.
 */
const tornSpecification: Fault = {
  name: "torn-specification",
  takes: 1,
  daemon: true,
  weight: 1,
  inflict: async (round) => {
    const { stage, targets, hold } = round;
    const [target] = targets;
    if (target === undefined) return { detail: "-", boundMs: 0 };
    const { daemon, violations } = stage;
    const file = path.join(daemon.stateDir, "streams", `${target.name}.json`);
    const kept = path.join(stage.dir, `${target.name}.kept`);
    copyFileSync(file, kept);
    let how = "";
    await withoutDaemon(stage, () => void (how = spoil(round, file)));
    const { warnings } = await daemon.rpc("daemon.status", {});
    if (!warnings.some((warning) => warning.includes(target.name)))
      violations.broken("state-kept", `${target.name}.json ${how}, and the daemon does not say so`);
    await hold(500, 4_000);
    await withoutDaemon(stage, () => copyFileSync(kept, file));
    rmSync(kept);
    return { detail: how, boundMs: stage.bounds.untold, unharmed: targets };
  },
};

export const TORN: readonly Fault[] = [
  tornMemory,
  tornLock,
  tornRun,
  tornPlaylist,
  tornDaemonFiles,
  tornSpecification,
];
