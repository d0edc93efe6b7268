// Keeps what this release writes for the tests of the next: node test/formats/freeze.ts RELEASE
//
// Makes test/fixtures/formats/RELEASE: the directories of a real daemon, whatever belongs to this machine
// replaced by a word in braces, and the JSON Schemas of what this release reads. A frozen release is
// never made anew.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { z } from "zod";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";
import { LINES, OTHERS, RECORDS, filesOf } from "./kinds.ts";
import { makeScene } from "./scene.ts";

const release = process.argv[2] ?? "";
const target = path.resolve(import.meta.dirname, "../fixtures/formats", release);

const put = (at: string, text: string): void => {
  const file = path.join(target, at);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text, "latin1");
};

const freeze = async (): Promise<void> => {
  const server = await startRtmpServer();
  try {
    const daemon = await makeScene(server);
    try {
      const { streams } = await daemon.rpc("stream.status", { names: ["silent"] });
      // Its streams go on, but for one: what it leaves is what a next daemon finds.
      await daemon.kill("SIGKILL");
      process.kill(streams[0]?.pid ?? 0, "SIGTERM");
      const exit = path.join(daemon.runtimeDir, "runs/silent/exit");
      await until("its end is on record", () => existsSync(exit), 10_000);
      const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      for (const { at, text } of filesOf(daemon.dir)) {
        if (OTHERS.some((other) => other.test(at))) continue;
        const plain = text
          .replaceAll(daemon.dir, "{{DIR}}")
          .replaceAll(bootId, "{{BOOT}}")
          .replaceAll(`127.0.0.1:${server.ports.rtmp}`, "{{SERVER}}");
        const ofProcesses = [LINES["pids"], LINES["holder"]].some((line) => line?.at.test(at));
        put(at, ofProcesses ? "{{PIDS}}\n" : plain);
      }
    } finally {
      await daemon.end();
    }
  } finally {
    await server.stop();
  }
  for (const [name, { schema }] of Object.entries(RECORDS)) {
    const json = z.toJSONSchema(schema, { io: "input" });
    put(`schemas/${name}.json`, `${JSON.stringify(json, null, 2)}\n`);
  }
};

if (!/^\d+\.\d+$/.test(release) || existsSync(target)) {
  process.stderr.write(`freeze: give a release that is not frozen yet, such as 0.2\n`);
  process.exitCode = 2;
} else await freeze();
