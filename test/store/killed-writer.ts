import { createInterface } from "node:readline";
import { Store } from "../../daemon/store/store.ts";
import type { MemoryRecord, SpecRecord } from "../../daemon/store/schemas.ts";
import { NO_ENCODING } from "../../shared/contract/spec.ts";

/*
 * What a daemon saves for a stream that is added, changed and removed, in a process of its own that can
 * be killed at any call: killed-writer.ts STATE RUNTIME. It says each step that is done.
 */

export const recordOf = (revision: number): SpecRecord => ({
  version: 1,
  keys: revision,
  desired: "running",
  stopAt: null,
  stopBy: null,
  spec: {
    name: "radio",
    owner: "anna",
    input: "/film.mp4",
    loop: true,
    mode: "copy",
    encoding: NO_ENCODING,
    onResourceBreach: "warn",
    outputs: [{ url: "rtmp://h/a", hasKey: true }],
    revision,
  },
});

export const secretsOf = (revision: number): { rtmp_playpath: string }[] => [
  { rtmp_playpath: `key of revision ${revision}` },
];

export const memoryOf = (restarts: number): MemoryRecord => ({
  version: 1,
  reached: null,
  failuresAtPosition: 0,
  restarts,
  fallback: null,
  lastExit: null,
  rest: { is: "stopped", since: 1 },
});

export const STEPS = ["added", "remembered", "changed", "forgotten"] as const;

const write = async (state: string, runtime: string, isStepwise: boolean): Promise<void> => {
  const store = new Store(state, runtime);
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const done = async (step: (typeof STEPS)[number]): Promise<void> => {
    process.stdout.write(`${step}\n`);
    if (isStepwise) await lines.next();
  };
  await store.secrets.write("radio", 1, secretsOf(1));
  await store.specs.write("radio", recordOf(1));
  await done("added");
  await store.memories.write("radio", memoryOf(7));
  await done("remembered");
  await store.secrets.write("radio", 2, secretsOf(2));
  await store.specs.write("radio", recordOf(2));
  await store.secrets.prune("radio", 2);
  await done("changed");
  await store.forget("radio");
  await done("forgotten");
  process.exit(0);
};

const [, script = "", state, runtime, stepwise] = process.argv;
if (state !== undefined && runtime !== undefined && script === import.meta.filename)
  await write(state, runtime, stepwise === "stepwise");
