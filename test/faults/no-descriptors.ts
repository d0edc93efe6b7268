import { readdirSync } from "node:fs";
import net from "node:net";
import { output } from "../helpers/command.ts";
import type { Fault } from "./fault.ts";
import { pairOf, signalOwn } from "./own-processes.ts";

const limitOf = async (pid: number): Promise<string> => {
  const text = await output("prlimit", [
    "--pid",
    String(pid),
    "--nofile",
    "--noheadings",
    "-o",
    "SOFT",
  ]);
  return text.trim();
};

const noDescriptors: Fault = {
  name: "no-descriptors",
  takes: "all",
  daemon: true,
  weight: 2,
  inflict: async ({ stage, targets, between, hold }) => {
    const { daemon, times, bounds } = stage;
    const pid = daemon.pid();
    const before = await limitOf(pid);
    const used = readdirSync(`/proc/${pid}/fd`).length;
    const left = Math.round(between(0, 4));
    const count = Math.round(between(0, 3));
    const limit = (soft: number | string): Promise<string> =>
      output("prlimit", ["--pid", String(pid), `--nofile=${soft}:`]);
    const clients: net.Socket[] = [];
    // It cannot answer anybody meanwhile, and nobody asks that of it.
    const back = times.away();
    try {
      await limit(used + left);
      for (let n = 0; n < 30; n += 1) {
        const client = net.connect(daemon.socket);
        client.on("error", () => {});
        clients.push(client);
      }
      await hold(500, 2_000);
      for (const target of targets.slice(0, count))
        signalOwn(pairOf(stage, target).ffmpeg, "SIGKILL");
      await hold(2_000, 15_000);
    } finally {
      for (const client of clients) client.destroy();
      if (daemon.running()) await limit(before);
      back();
    }
    return {
      detail: `${left} left, and ${count} FFmpegs killed meanwhile`,
      boundMs: Math.max(bounds.receiver, bounds.input),
      unharmed: targets.slice(count),
    };
  },
};

export const DESCRIPTORS: readonly Fault[] = [noDescriptors];
