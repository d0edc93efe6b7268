import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t, { type Test } from "tap";
import type { z } from "zod";
import { readMemo } from "../../daemon/encoders/memo.ts";
import { readLimits } from "../../daemon/limits/limits-file.ts";
import { readKept } from "../../daemon/metrics/keeper.ts";
import { identify } from "../../daemon/runner/identity.ts";
import { readExit, readPids } from "../../daemon/runner/run-record.ts";
import { placesOf } from "../../daemon/store/layout.ts";
import { readRecord } from "../../daemon/store/record-file.ts";
import { claimRuns } from "../../daemon/store/runs-claim.ts";
import { saltOf } from "../../daemon/store/salt.ts";
import { Store } from "../../daemon/store/store.ts";
import { whatIsLeft } from "../../daemon/supervisor/adoption.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { until } from "../helpers/until.ts";
import { RELEASES, thaw } from "./frozen.ts";
import { RECORDS } from "./kinds.ts";
import { KEY, STATES, STOP_AT } from "./scene.ts";

type Json = Record<string, any>;

const thawed = (t: Test, release: string, pidsOf?: (name: string) => string): string => {
  // Short: a socket's path may have 107 bytes.
  const dir = mkdtempSync(path.join(os.tmpdir(), "sb-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  thaw(release, dir, pidsOf === undefined ? {} : { pidsOf });
  return dir;
};

t.test("the files of every kept release mean what they meant", async (t) => {
  t.ok(RELEASES.includes("0.1"));
  for (const release of RELEASES) {
    const self = identify(process.pid);
    const own = `${process.pid} ${self?.startTime} ${process.pid} ${self?.startTime}`;
    const dir = thawed(t, release, () => own);
    const store = new Store(path.join(dir, "state"), path.join(dir, "run"));
    const { specs, memories, setAside, unread, left } = store.load(() => 7);
    t.same([setAside, unread, [...left]], [[], [], []], "nothing is in doubt");
    t.same([...specs.keys()].sort(), Object.keys(STATES).sort());
    t.match(specs.get("copied"), {
      desired: "running",
      stopAt: Date.parse(STOP_AT),
      keys: 1,
      spec: { name: "copied", mode: "auto", loop: true, revision: 1, input: `${dir}/film.mp4` },
    });
    t.match(specs.get("encoded")?.spec, {
      mode: "encode",
      encoding: { width: 128, height: 72, fps: 25, videoKbps: 200, encoder: "libx264" },
      onResourceBreach: "restart",
    });
    t.match(specs.get("waiting"), { desired: "running", spec: { owner: "nobody", mode: "copy" } });
    t.match(specs.get("finished"), { desired: "stopped", spec: { loop: false } });
    t.same(store.secrets.read("copied", 1), [{ rtmp_playpath: KEY }]);
    t.equal(store.secrets.read("secret", 1)?.length, 1);
    const rests = Object.fromEntries([...memories].map(([name, { rest }]) => [name, rest.is]));
    t.match(rests, {
      ...{ backoff: "backoff", failed: "failed", finished: "finished", stopped: "stopped" },
      ...{ copied: "running", encoded: "running", silent: "running" },
    });
    t.match(memories.get("failed")?.rest, { failure: { reason: "connection-refused" } });
    t.match(memories.get("backoff"), { restarts: 1, rest: { streak: { attempt: 1 } } });
    t.match(memories.get("stopped"), {
      reached: { media: { durationMs: 6_000 }, outTimeMs: Number },
      lastExit: { reason: "stopped" },
    });
    const places = placesOf(store.layout, "encoded");
    const memory = memories.get("encoded") ?? null;
    t.match(
      whatIsLeft(places, memory, {}, new Map()),
      { is: "run", record: { tracks: { video: { action: "encode" } }, lagMs: 1_840 } },
      "a run of that release is taken over",
    );
    rmSync(path.join(places.run, "run.json"));
    t.match(
      whatIsLeft(places, memory, {}, new Map()),
      { is: "run" },
      "from what is remembered too",
    );
    t.match(readPids(places.run), { ffmpeg: { pid: process.pid } });
    t.same(readExit(placesOf(store.layout, "silent").run), { code: 255, signal: null });
    t.match(readLimits(store.layout.limits, 7), {
      complaint: null,
      record: { perUser: 50, global: null, users: { nobody: 0, daemon: 2 } },
    });
    const { counters, warning } = readKept(store.layout.metrics, 7);
    t.equal(warning, null);
    const starts = counters.filter(({ name }) => name === "streambro_stream_starts_total");
    t.same(new Set(starts.map(({ labels }) => labels["owner"])), new Set(["nobody", "root"]));
    t.match(await readMemo(store.layout.encoders), { encoders: [{ name: String }] });
    const salt = readFileSync(path.join(dir, "state/salt"));
    t.same(saltOf(path.join(dir, "state")), salt, "destinations are told apart as before");
    const claimed = claimRuns(store.layout.runs, path.join(dir, "state"));
    t.match(claimed, { ok: true }, "the runtime directory is still that daemon's");
    if (claimed.ok) claimed.claim.release();
  }
});

t.test("a daemon goes on from the files of every kept release", async (t) => {
  for (const release of RELEASES) {
    const dir = thawed(t, release);
    const daemon = await startDaemon({ dir, config: "hardware_encoding_enabled: false\n" });
    t.teardown(() => daemon.end());
    const { streams } = await daemon.rpc("stream.status", {});
    const now = new Map(streams.map((one) => [one.name, one]));
    t.same([...now.keys()], Object.keys(STATES).sort());
    for (const name of ["failed", "finished", "new", "secret", "stopped", "waiting"])
      t.equal(now.get(name)?.state, STATES[name], name);
    t.match(now.get("copied"), { desired: "running", stopAt: STOP_AT });
    t.match(now.get("failed"), { lastError: { code: "connection-refused" } });
    await until(
      "the end that nobody saw is known",
      async () =>
        (await daemon.rpc("stream.status", { names: ["silent"] })).streams[0]?.lastExit !== null,
      10_000,
    );
    const { warnings } = await daemon.rpc("daemon.status", {});
    t.same(
      warnings.filter((one) => one.includes(dir)),
      [],
    );
    const { metrics } = await daemon.rpc("daemon.metrics", {});
    const stops = metrics.filter(({ name }) => name === "streambro_stream_stops_total");
    t.ok(stops.reduce((sum, { value }) => sum + value, 0) >= 5, "the counters go on");
  }
});

const schemaFor = (kind: string): z.ZodType => {
  const schema = RECORDS[kind]?.schema;
  if (schema === undefined) throw new Error(`no file is of the kind ${kind}`);
  return schema;
};

/** One file of each kind, with a field that is a word out of a list and what then becomes of the file. */
const SAMPLES: Readonly<
  Record<string, { at: string; word: (json: Json) => void; becomes: "good" | "newer" }>
> = {
  spec: {
    at: "state/streams/copied.json",
    word: (one) => (one["spec"].mode = "new"),
    becomes: "newer",
  },
  keys: { at: "state/keys/copied@1.json", word: () => {}, becomes: "good" },
  memory: {
    at: "state/memory/failed.json",
    word: (one) => {
      one["rest"].failure.reason = "new";
      one["lastExit"].reason = "new";
    },
    becomes: "good",
  },
  limits: {
    at: "state/limits.json",
    word: (one) => (one["perUser"] = 1_000_000),
    becomes: "newer",
  },
  metrics: { at: "state/metrics.json", word: () => {}, becomes: "good" },
  encoders: {
    at: "state/encoders.json",
    word: (one) => (one["encoders"][0].kind = "new"),
    becomes: "newer",
  },
  run: {
    at: "run/runs/copied/run.json",
    word: (one) => (one["tracks"].video.action = "new"),
    becomes: "good",
  },
};

t.test("what becomes of a file that is not as it should be, by kind", async (t) => {
  const dir = thawed(t, "0.1");
  t.same(Object.keys(SAMPLES), Object.keys(RECORDS));
  for (const [kind, { at, word, becomes }] of Object.entries(SAMPLES)) {
    const file = path.join(dir, at);
    const schema = schemaFor(kind);
    const text = readFileSync(file, "utf8");
    const changed = (change: (json: Json) => void): string => {
      const json = JSON.parse(text) as Json;
      change(json);
      return JSON.stringify(json);
    };
    const own = (json: Json): string => Object.keys(json).find((key) => key !== "version") ?? "";
    const rows: readonly (readonly [string, string, string])[] = [
      ["as it was", text, "good"],
      ["a newer version", changed((json) => (json["version"] = 2)), "newer"],
      ["newer, and all else gone", '{"version":99}', "newer"],
      ["an unknown field", changed((json) => (json["later"] = { any: ["thing"] })), "good"],
      ["an unknown word", changed(word), becomes],
      ["no version", changed((json) => delete json["version"]), "bad"],
      ["a version that is none", changed((json) => (json["version"] = "2")), "bad"],
      ["an older version than any", changed((json) => (json["version"] = 0)), "bad"],
      ["a wrong type", changed((json) => (json[own(json)] = 5.5)), "bad"],
      ["a missing field", changed((json) => delete json[own(json)]), "bad"],
      ["cut off", text.slice(0, text.length / 2), "bad"],
      ["empty", "", "bad"],
      ["zeros", "\0".repeat(64), "bad"],
      ["no JSON", "hello", "bad"],
      ["null", "null", "bad"],
      ["a list", "[]", "bad"],
      ["too deep", "[".repeat(200_000), "bad"],
    ];
    for (const [what, content, is] of rows) {
      writeFileSync(file, content);
      const found = readRecord(file, schema);
      t.equal(found.is, is, `${kind}: ${what}`);
      if (found.is === "newer") t.match(found.why, /newer StreamBro/);
    }
    rmSync(file);
    // Its pages cannot be read, as on a disk that fails.
    symlinkSync("/proc/self/mem", file);
    t.match(readRecord(file, schema), { is: "unread", why: /^EIO/ }, `${kind}: cannot be read`);
  }
});

t.test("a word that this release does not know", async (t) => {
  const dir = thawed(t, "0.1");
  const understood = (kind: string, change: (json: Json) => void): Json => {
    const { at } = SAMPLES[kind] ?? { at: "" };
    const file = path.join(dir, at);
    const before = readFileSync(file, "utf8");
    const json = JSON.parse(before) as Json;
    change(json);
    writeFileSync(file, JSON.stringify(json));
    const found = readRecord(file, schemaFor(kind));
    writeFileSync(file, before);
    return found;
  };
  const failed = understood("memory", (one) => (one["rest"].failure.reason = "new"));
  t.match(failed, { value: { rest: { is: "failed", failure: { reason: "unknown" } } } });
  t.match(
    understood("memory", (one) => (one["rest"].is = "napping")),
    { value: { rest: { is: "stopped" }, lastExit: { reason: "connection-refused" } } },
  );
  t.match(
    understood("spec", (one) => (one["spec"].onResourceBreach = "phone")),
    { value: { spec: { onResourceBreach: "warn" } } },
  );
  t.match(
    understood("spec", (one) => (one["desired"] = "paused")),
    { is: "newer", why: /it holds what this release does not know.*desired/ },
  );
  t.match(
    understood("spec", (one) => (one["spec"].encoding.width = 20_000)),
    { is: "newer", why: /encoding\.width/ },
  );
  t.match(
    understood("spec", (one) => {
      one["spec"].mode = "new";
      one["spec"].loop = "yes";
    }),
    { is: "bad" },
    "damage is damage",
  );
});
