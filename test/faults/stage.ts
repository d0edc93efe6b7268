import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { SettingsSchema } from "../../daemon/config/settings.ts";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { output } from "../helpers/command.ts";
import { freePorts } from "../helpers/rtmp-config.ts";
import { type RtmpServer, startRtmpServer } from "../helpers/rtmp-server.ts";
import { listening } from "../soak/heap.ts";
import { type Bounds, boundsOf } from "./bounds.ts";
import { type Decoy, startDecoy } from "./decoy.ts";
import { DaemonTimes, Expectations } from "./expectations.ts";
import { type Hooks, type Turn, startHooks } from "./hooks.ts";
import { Machine } from "./machine.ts";
import { faketimeLibrary, mountSmallDisk } from "./places.ts";
import type { Plan } from "./plan.ts";
import type { Target } from "./target.ts";
import { setTargets } from "./targets.ts";
import type { Violations } from "./violations.ts";

/** Everything real that faults need, in a directory of its own. */
export type Stage = {
  readonly plan: Plan;
  readonly dir: string;
  readonly daemon: Daemon;
  readonly server: RtmpServer;
  readonly hooks: Hooks;
  readonly targets: readonly Target[];
  readonly decoy: Decoy;
  /** What the daemon takes for FFmpeg: a copy, which faults replace. */
  readonly ffmpeg: string;
  /** Why its state and its runs are not on small disks of their own; null where they are. */
  readonly noSmallDisks: string | null;
  readonly faketime: string | null;
  /** Where each daemon lets its heap be looked at. */
  readonly inspector: number;
  readonly bounds: Bounds;
  readonly machine: Machine;
  readonly times: DaemonTimes;
  readonly expectations: Expectations;
  readonly violations: Violations;
  /** Ends everything, last first; an error says what was left running, and the directory then stays. */
  readonly end: () => Promise<void>;
};

const STATE_MB = 48;
const RUN_MB = 16;

/** `onOverlap`: a connection or a publisher of a stream came while there was one already. */
export const setStage = async (
  plan: Plan,
  violations: Violations,
  onOverlap: (evidence: string) => void,
): Promise<Stage> => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "sb-faults-"));
  const undo: (() => Promise<unknown> | void)[] = [];
  const end = async (): Promise<void> => {
    const failures: string[] = [];
    for (const step of undo.splice(0).toReversed()) {
      try {
        await step();
      } catch (error) {
        failures.push(String(error));
      }
    }
    if (failures.length > 0) throw new Error(`${failures.join("\n")}\n(kept: ${dir})`);
    rmSync(dir, { recursive: true, force: true });
  };
  const at = (name: string): string => {
    mkdirSync(path.join(dir, name), { recursive: true });
    return path.join(dir, name);
  };
  try {
    const told = (key: string, turns: readonly Turn[]): void =>
      onOverlap(`nginx: ${key.slice(-12)} published while ${turns.length} turn(s) were open`);
    const hooks = await startHooks(told);
    undo.push(hooks.close);
    const rtmp = { dir: at("rtmp"), detached: true, hooksPort: hooks.port };
    const server = await startRtmpServer(rtmp);
    undo.push(server.stop);
    const decoy = await startDecoy(path.join(dir, "decoy"));
    undo.push(decoy.end);
    const home = at("d");
    let noSmallDisks = plan.smallDisks ? null : "the plan has none";
    for (const [name, megabytes] of [
      ["d/state", STATE_MB],
      ["d/run", RUN_MB],
    ] as const) {
      if (!plan.smallDisks) break;
      const disk = await mountSmallDisk(at(name), megabytes);
      if (typeof disk === "string") noSmallDisks = disk;
      else undo.push(disk.unmount);
    }
    const ffmpeg = path.join(at("tools"), "ffmpeg");
    copyFileSync((await output("/bin/sh", ["-c", "command -v ffmpeg"])).trim(), ffmpeg);
    const [inspector = 0] = await freePorts(1);
    const env = { ...environment(plan, ffmpeg), ...listening(inspector) };
    const daemon = await startDaemon({ dir: home, detached: true, env });
    undo.push(daemon.end);
    const { targets, close } = await setTargets(plan, server, onOverlap);
    undo.push(close);
    const machine = new Machine();
    undo.push(() => machine.stop());
    const times = new DaemonTimes();
    const expectations = new Expectations(times);
    const faketime = faketimeLibrary();
    const bounds = boundsOf(SettingsSchema.parse(plan.settings));
    const things = {
      plan,
      dir,
      daemon,
      server,
      hooks,
      targets,
      decoy,
      ffmpeg,
      noSmallDisks,
      inspector,
    };
    return { ...things, faketime, bounds, machine, times, expectations, violations, end };
  } catch (error) {
    await end().catch(() => {});
    throw error;
  }
};

const environment = (plan: Plan, ffmpeg: string): Record<string, string> => ({
  ...plan.settings,
  FFMPEG_PATH: ffmpeg,
  MAX_CONCURRENT_STREAMS_PER_USER: "100",
  MAX_CONCURRENT_STREAMS_GLOBAL: "100",
  RESOURCE_MONITOR_INTERVAL_MS: "5000",
  HARDWARE_ENCODING_ENABLED: "false",
});
