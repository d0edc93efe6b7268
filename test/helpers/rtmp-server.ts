import { type ChildProcess, spawn } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { processOf } from "./processes.ts";
import { NGINX, type RtmpPorts, freePorts, nginxConfig } from "./rtmp-config.ts";
import { type Publish, mostAtOnce, startPublishLog } from "./rtmp-publishes.ts";
import { type RtmpStats, type StreamStats, fetchStats } from "./rtmp-stats.ts";
import { type Watch, watch } from "./rtmp-watch.ts";
import { until } from "./until.ts";

export type RtmpServerOptions = {
  /** Where configuration, logs and recordings go; without one a temporary directory, removed by stop(). */
  readonly dir?: string;
  /** In a session of its own, so that Ctrl-C on a terminal does not reach it. */
  readonly detached?: boolean;
  /** Where somebody listens to what the application `heard` asks and tells; without it there is none. */
  readonly hooksPort?: number;
};

/** A real nginx with the RTMP module, on ports of its own. */
export type RtmpServer = {
  /** Takes any publisher: append `/NAME`, or give NAME as the key. */
  readonly url: string;
  /** Takes any publisher too, and neither records nor lists its turns: for hours of streaming. */
  readonly plainUrl: string;
  /** An application that refuses every publisher. */
  readonly closedUrl: string;
  readonly ports: RtmpPorts;
  readonly dir: string;
  readonly pid: () => number;
  readonly stats: () => Promise<RtmpStats>;
  /** Waits for a publisher whose bytes arrive. */
  readonly waitForPublisher: (name: string, deadlineMs: number) => Promise<StreamStats>;
  /** Every turn of every publisher (of one name) so far, in order of start. */
  readonly publishes: (name?: string) => readonly Publish[];
  /** Most publishers of this name connected at once, those that nginx refused included. */
  readonly mostAtOnce: (name: string) => number;
  /** From now on refuses publishers that the rule names, on `url`. */
  readonly reject: (rule: (name: string) => boolean) => void;
  readonly watchPublishers: (everyMs?: number) => Watch;
  /** Stops the process where it stands: connections stay open and nothing is read any more. */
  readonly freeze: () => Promise<void>;
  readonly thaw: () => void;
  /** Ends it at once, as a crash would; `restart` brings it back on the same ports. */
  readonly kill: () => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

const BIND_ATTEMPTS = 5;

const stopped = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

const end = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  if (stopped(child)) return;
  child.kill(signal);
  child.kill("SIGCONT");
  try {
    await until("nginx ends", () => stopped(child), 3000);
  } catch {
    child.kill("SIGKILL");
    await until("nginx is killed", () => stopped(child), 3000);
  }
};

/** Starts one process and waits for its status page. Should this process die, nginx goes with it. */
const launch = async (dir: string, statUrl: string, detached = false): Promise<ChildProcess> => {
  const log = path.join(dir, "error.log");
  const errors = openSync(log, "a");
  const args = ["--pdeathsig", "KILL", NGINX, "-e", "error.log", "-p", dir, "-c", "nginx.conf"];
  const child = spawn("setpriv", args, { stdio: ["ignore", "ignore", errors], detached });
  closeSync(errors);
  let failure: Error | undefined;
  child.on("error", (error) => (failure = error));
  await until(
    "nginx answers",
    async () => failure !== undefined || stopped(child) || (await fetchStats(statUrl)),
    10_000,
  );
  if (failure !== undefined) throw failure;
  if (stopped(child)) throw new Error(`nginx did not start: ${readFileSync(log, "utf8")}`);
  return child;
};

export const startRtmpServer = async (options: RtmpServerOptions = {}): Promise<RtmpServer> => {
  const dir = options.dir ?? mkdtempSync(path.join(os.tmpdir(), "sb-rtmp-"));
  const recordings = path.join(dir, "rec");
  mkdirSync(recordings, { recursive: true });
  mkdirSync(path.join(dir, "tmp"), { recursive: true });
  const log = await startPublishLog(recordings);

  const place = async (attempt: number): Promise<[RtmpPorts, ChildProcess]> => {
    const [rtmp = 0, http = 0] = await freePorts(2);
    const chosen = { rtmp, http };
    writeFileSync(
      path.join(dir, "nginx.conf"),
      nginxConfig(dir, chosen, log.port, options.hooksPort),
    );
    try {
      return [chosen, await launch(dir, `http://127.0.0.1:${http}/`, options.detached)];
    } catch (error) {
      // Somebody else may have taken a port between our look and nginx's.
      if (attempt < BIND_ATTEMPTS && String(error).includes("bind()")) return place(attempt + 1);
      await log.close();
      throw error;
    }
  };
  const [ports, first] = await place(1);
  let child = first;
  const statUrl = `http://127.0.0.1:${ports.http}/`;
  const stats = async (): Promise<RtmpStats> => fetchStats(statUrl);
  const publishes = (name?: string): readonly Publish[] =>
    log.all().filter((publish) => name === undefined || publish.name === name);
  const pid = (): number => child.pid ?? 0;
  const kill = async (): Promise<void> => {
    await end(child, "SIGKILL");
    log.endAll();
  };

  return {
    url: `rtmp://127.0.0.1:${ports.rtmp}/live`,
    plainUrl: `rtmp://127.0.0.1:${ports.rtmp}/plain`,
    closedUrl: `rtmp://127.0.0.1:${ports.rtmp}/closed`,
    ports,
    dir,
    pid,
    stats,
    waitForPublisher: async (name, deadlineMs) =>
      until(
        `a publisher of ${name}`,
        async () => {
          const { streams } = await stats();
          const one = streams.find((stream) => stream.app === "live" && stream.name === name);
          return one !== undefined && one.publishers > 0 && one.bytesIn > 0 ? one : undefined;
        },
        deadlineMs,
      ),
    publishes,
    mostAtOnce: (name) => mostAtOnce(publishes(name)),
    reject: log.reject,
    watchPublishers: (everyMs = 100) => watch(stats, "live", everyMs),
    freeze: async () => {
      process.kill(pid(), "SIGSTOP");
      await until("nginx stands still", () => processOf(pid())?.state === "T", 2000);
    },
    thaw: () => {
      process.kill(pid(), "SIGCONT");
    },
    kill,
    restart: async () => {
      await kill();
      child = await launch(dir, statUrl, options.detached);
    },
    stop: async () => {
      await end(child, "SIGTERM");
      log.endAll();
      await log.close();
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
};
