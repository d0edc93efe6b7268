import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Daemon, startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { type RtmpServer, startRtmpServer } from "../helpers/rtmp-server.ts";
import { freePorts } from "../helpers/rtmp-config.ts";
import { type HeapLook, listening, openHeap } from "./heap.ts";
import type { Plan } from "./plan.ts";

/** Everything real that a soak needs, in a directory of its own. */
export type Stage = {
  readonly server: RtmpServer;
  readonly daemon: Daemon;
  /** Two films alike but for their length, and what the first comes to. */
  readonly films: readonly [string, string];
  readonly bytesPerMs: number;
  /** Where the plan asks for it. */
  readonly heap: HeapLook | null;
  /**
   * Ends everything, last first; an error says what was left running, and the directory then stays.
   */
  readonly end: () => Promise<void>;
};

/** Without B-frames, where to go on is found with few looks at the file: each look is a process. */
const FILM = { bframes: 0, gop: 25 } as const;

export const setStage = async (plan: Plan): Promise<Stage> => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "sb-soak-"));
  const undo: (() => Promise<void>)[] = [];
  const end = async (): Promise<void> => {
    for (const step of undo.splice(0).toReversed()) await step();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    const films = [
      await renderFilm({ ...FILM, seconds: plan.filmSeconds }),
      await renderFilm({ ...FILM, seconds: plan.filmSeconds + 1 }),
    ] as const;
    const server = await startRtmpServer({ dir: path.join(dir, "rtmp"), detached: true });
    undo.push(server.stop);
    const home = path.join(dir, "d");
    mkdirSync(home);
    const [port = 0] = await freePorts(1);
    const env = { ...environment(plan), ...(plan.heap ? listening(port) : {}) };
    const daemon = await startDaemon({ dir: home, detached: true, env });
    undo.push(daemon.end);
    const heap = plan.heap ? await openHeap(port) : null;
    undo.push(async () => heap?.close());
    const bytesPerMs = statSync(films[0]).size / (plan.filmSeconds * 1_000);
    return { server, daemon, films, bytesPerMs, heap, end };
  } catch (error) {
    await end();
    throw error;
  }
};

const environment = ({ streams, parallel, monitorMs }: Plan): Record<string, string> => {
  const most = String(streams + parallel + 1);
  return {
    MAX_CONCURRENT_STREAMS_PER_USER: most,
    MAX_CONCURRENT_STREAMS_GLOBAL: most,
    RESOURCE_MONITOR_INTERVAL_MS: String(monitorMs),
    LOG_LEVEL: "info",
  };
};
