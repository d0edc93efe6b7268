import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as after } from "node:timers/promises";
import { plainEnvironment } from "../helpers/environment.ts";
import { Arrivals } from "./arrivals.ts";

/** A receiver of one SRT stream, which listens again after every sender. */
export type SrtReceiver = {
  readonly arrivals: Arrivals;
  readonly pid: () => number;
  readonly pass: () => void;
  /** Nobody listens. */
  readonly refuse: () => void;
  /** It stands still. */
  readonly stall: () => void;
  readonly close: () => Promise<void>;
};

const AGAIN_MS = 100;
/** Without a byte for so long it takes its sender for gone, and listens for another. */
const GONE_MS = 2_000;

export const startSrtReceiver = (port: number, passphrase: string): SrtReceiver => {
  const arrivals = new Arrivals();
  let child: ChildProcess | null = null;
  let wanted = true;
  let isStalled = false;
  const over = new AbortController();
  const url = `srt://127.0.0.1:${port}?mode=listener&passphrase=${passphrase}`;
  const ffmpeg = ["ffmpeg", "-v", "quiet", "-i", url, "-map", "0", "-c", "copy"];
  // Should this process die, it goes too.
  const argv = ["--pdeathsig", "KILL", ...ffmpeg, "-f", "mpegts", "pipe:1"];
  const listening = (async () => {
    while (!over.signal.aborted) {
      if (wanted) {
        const started = spawn("setpriv", argv, {
          stdio: ["ignore", "pipe", "ignore"],
          env: plainEnvironment(),
        });
        child = started;
        let isFirst = true;
        const gone = setInterval(() => {
          const silentMs = performance.now() - arrivals.lastAt;
          if (!isFirst && silentMs > GONE_MS && !isStalled) started.kill("SIGKILL");
        }, GONE_MS / 4);
        started.stdout.on("data", (chunk: Buffer) => {
          arrivals.note(chunk.length, isFirst);
          isFirst = false;
        });
        const { promise, resolve } = Promise.withResolvers<void>();
        started.once("close", () => resolve());
        await promise;
        clearInterval(gone);
      }
      await after(AGAIN_MS);
    }
  })();
  const signal = (name: NodeJS.Signals): void => void child?.kill(name);
  return {
    arrivals,
    pid: () => child?.pid ?? 0,
    pass: () => {
      wanted = true;
      isStalled = false;
      signal("SIGCONT");
    },
    refuse: () => {
      wanted = false;
      signal("SIGKILL");
    },
    stall: () => {
      isStalled = true;
      signal("SIGSTOP");
    },
    close: async () => {
      over.abort();
      signal("SIGKILL");
      await listening;
    },
  };
};
