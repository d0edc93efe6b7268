import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";
import { type Boot, measureBoot } from "./boot.ts";
import { startRelay } from "./relay.ts";
import {
  type Stage,
  freezeReceiver,
  killDaemon,
  killFfmpeg,
  leaveAlone,
  loseHost,
} from "./scenarios.ts";

const USAGE = `usage: npm run bench:recovery -- [--only NAME,...] [--rounds 20] [--streams 50] [--boot 50] [--json FILE]

Breaks what can break under real streams on this machine, and measures at the receiver how long nothing
came: a relay before it notes when media arrives.

  --only NAMES  some of: kill, stall, daemon, outage, boot
  --rounds N    how often FFmpeg and the daemon are killed; a receiver stands still a quarter as often
  --streams N   streams that lose their host together
  --boot N      streams of a machine that boots
  --json FILE   writes every figure

Times are in milliseconds.
`;

type Row = { readonly what: string; readonly values: readonly number[] };

const SCENARIOS = ["kill", "stall", "daemon", "outage", "boot"] as const;

const part = (values: readonly number[], of: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(of * sorted.length))] ?? Number.NaN;
};

const table = (rows: readonly Row[]): string => {
  const cells = rows.map(({ what, values }) => [
    what,
    String(values.length),
    ...[0, 0.5, 0.95, 1].map((of) => part(values, of).toFixed(0)),
  ]);
  const lines = [["", "n", "least", "p50", "p95", "most"], ...cells];
  const widths = [0, 1, 2, 3, 4, 5].map((column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map((line) =>
      line
        .map((cell, at) =>
          at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0),
        )
        .join("  "),
    )
    .join("\n");
};

const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);

/** Streams on the air through a relay, for as long as `work` takes. */
const onStage = async (count: number, work: (stage: Stage) => Promise<Row[]>): Promise<Row[]> => {
  const server = await startRtmpServer();
  try {
    const relay = await startRelay(server.ports.rtmp);
    const room = String(2 * count);
    const daemon = await startDaemon({
      env: { MAX_CONCURRENT_STREAMS_PER_USER: room, MAX_CONCURRENT_STREAMS_GLOBAL: room },
    });
    try {
      const input = await renderFilm({ seconds: 20 });
      const names = Array.from({ length: count }, (_, at) => `s${at}`);
      for (const name of names) {
        const to = `rtmp://127.0.0.1:${relay.port}/plain/${name}`;
        await daemon.rpc("stream.add", { name, input, to });
        await daemon.rpc("stream.start", { name });
      }
      await until(
        "all are on the air",
        async () =>
          (await daemon.rpc("stream.status", {})).streams.every(({ state }) => state === "live"),
        300_000,
      );
      return await work({ daemon, server, relay, names, say });
    } finally {
      await daemon.end();
      await relay.down();
    }
  } finally {
    await server.stop();
  }
};

const bootRows = (boot: Boot): Row[] => [
  { what: `boot of ${boot.streams}: until the first is received`, values: [boot.firstMs] },
  { what: `boot of ${boot.streams}: until the last is received`, values: [boot.lastMs] },
  { what: "boot: FFmpegs that were starting at once", values: [boot.mostStarting] },
  { what: "boot: longest answer to a command", values: [boot.answerMs.longest] },
];

const main = async (): Promise<number> => {
  const text = { type: "string" } as const;
  const options = {
    ...{ only: text, rounds: text, streams: text, boot: text, json: text },
    help: { type: "boolean", short: "h" },
  } as const;
  let given: ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];
  try {
    given = parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  if (given.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const number = (value: string | undefined, usual: number): number =>
    value === undefined ? usual : /^[1-9]\d{0,3}$/.test(value) ? Number(value) : Number.NaN;
  const rounds = number(given.rounds, 20);
  const streams = number(given.streams, 50);
  const boot = number(given.boot, 50);
  const only = given.only?.split(",") ?? [...SCENARIOS];
  const known: readonly string[] = SCENARIOS;
  if ([rounds, streams, boot].includes(Number.NaN) || !only.every((one) => known.includes(one))) {
    process.stderr.write(USAGE);
    return 2;
  }
  const rows: Row[] = [];
  const wants = (name: (typeof SCENARIOS)[number]): boolean => only.includes(name);
  if (wants("kill") || wants("stall") || wants("daemon"))
    rows.push(
      ...(await onStage(1, async (stage) => {
        const found: Row[] = [];
        if (wants("daemon")) {
          const usual = await leaveAlone(stage, rounds);
          found.push({ what: "longest gap, nothing happens", values: usual });
          const killed = await killDaemon(stage, rounds);
          found.push({ what: "longest gap, the daemon is killed", values: killed });
        }
        if (wants("kill"))
          found.push({ what: "gap, FFmpeg is killed", values: await killFfmpeg(stage, rounds) });
        if (wants("stall")) {
          const values = await freezeReceiver(stage, Math.ceil(rounds / 4));
          found.push({ what: "from a still receiver's return", values });
        }
        return found;
      })),
    );
  if (wants("outage"))
    rows.push(
      ...(await onStage(streams, async (stage) => [
        { what: `from a host's return, ${streams} streams`, values: await loseHost(stage) },
      ])),
    );
  if (wants("boot")) {
    const server = await startRtmpServer();
    try {
      const input = await renderFilm({ size: "160x90", seconds: 20 });
      rows.push(...bootRows(await measureBoot(boot, server, [input])));
    } finally {
      await server.stop();
    }
  }
  process.stdout.write(`${table(rows)}\n`);
  if (given.json !== undefined) writeFileSync(given.json, `${JSON.stringify(rows, null, 2)}\n`);
  return 0;
};

process.exitCode = await main();
