import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { type ProgressReport, lastReport } from "../../daemon/ffmpeg/progress.ts";
import { output } from "../helpers/command.ts";

/** As FFmpeg 5.1 writes it. */
const full = `frame=125
fps=24.99
stream_0_0_q=-1.0
bitrate= 201.1kbits/s
total_size=123456
out_time_us=5000000
out_time_ms=5000000
out_time=00:00:05.000000
dup_frames=0
drop_frames=0
speed=   1x
progress=continue
`;

t.test("one report", async (t) => {
  const whole = {
    outTimeMs: 5_000,
    frame: 125,
    fps: 24.99,
    speed: 1,
    totalBytes: 123_456,
    ended: false,
  };
  const none = {
    outTimeMs: null,
    frame: null,
    fps: null,
    speed: null,
    totalBytes: null,
    ended: false,
  };
  const rows: readonly [string, string, ProgressReport | null][] = [
    ["whole", full, whole],
    ["its end", full.replace("continue", "end"), { ...whole, ended: true }],
    ["out_time_ms alone, in microseconds", full.replace(/out_time_us.*\n/, ""), whole],
    ["no frame, as 7.x copies", full.replace(/frame=.*\n/, ""), { ...whole, frame: null }],
    [
      "before the first packet",
      "total_size=N/A\nout_time_us=N/A\nout_time_ms=N/A\nout_time=N/A\nspeed=N/A\nbitrate=N/A\nprogress=continue\n",
      none,
    ],
    [
      "before its beginning",
      full.replace("out_time_us=5000000", "out_time_us=-23220"),
      { ...whole, outTimeMs: null },
    ],
    [
      "nonsense",
      "frame=x\nfps=\nspeed=fast\nout_time_us=1e\ntotal_size=Infinity\nprogress=continue\n",
      none,
    ],
    ["nothing", "", null],
    ["unfinished", full.slice(0, -1), null],
    ["another word", full.replace("continue", "paused"), null],
    ["not a line of its own", "xprogress=continue", null],
  ];
  for (const [what, text, report] of rows) t.same(lastReport(text), report, what);
});

/** What a piece of a file may say: one of its reports, or part of one with the rest not known. */
const isPartOf = (report: ProgressReport, whole: ProgressReport): boolean =>
  (["outTimeMs", "frame", "fps", "speed", "totalBytes"] as const).every(
    (key) => report[key] === null || report[key] === whole[key],
  ) && report.ended === whole.ended;

t.test("cut anywhere, real output of FFmpeg never gives a mixture of two reports", async (t) => {
  const home = mkdtempSync(path.join(tmpdir(), "streambro-progress-"));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const file = path.join(home, "progress");
  const source = ["-f", "lavfi", "-i", "testsrc=s=64x48:r=25", "-t", "1.2"];
  await output("ffmpeg", [
    "-v",
    "error",
    "-nostats",
    "-progress",
    file,
    "-stats_period",
    "0.1",
    "-re",
    ...source,
    "-c:v",
    "flv1",
    "-f",
    "flv",
    path.join(home, "x.flv"),
  ]);
  const text = readFileSync(file, "latin1");
  const reports = text
    .split(/(?<=progress=\w+\n)/)
    .map((piece) => lastReport(piece) as ProgressReport);
  t.ok(reports.length > 4, `${reports.length} reports`);
  t.match(reports.at(-1), { ended: true, frame: 30, totalBytes: Number, speed: Number });
  const lastMs = reports.at(-1)?.outTimeMs ?? 0;
  t.ok(lastMs > 1_100 && lastMs <= 1_200, "microseconds were read as such");
  t.same(lastReport(text), reports.at(-1));
  const times = reports.flatMap(({ outTimeMs }) => outTimeMs ?? []);
  t.same(
    times.toSorted((a, b) => a - b),
    times,
    "in milliseconds, and rising",
  );

  const piece = text.slice(0, 1_500);
  const ends = [...piece.matchAll(/progress=\w+\n/g)].map((match) => match.index + match[0].length);
  for (let from = 0; from <= piece.length; from += 1) {
    for (let to = from; to <= piece.length; to += 7) {
      const report = lastReport(piece.slice(from, to));
      const last = ends.findLastIndex((end) => end <= to);
      const begin = last <= 0 ? 0 : (ends[last - 1] ?? 0);
      if (from <= begin && last >= 0) {
        if (JSON.stringify(report) !== JSON.stringify(reports[last]))
          t.fail(`${from}..${to}: not the last whole one`);
      } else if (report !== null && !isPartOf(report, reports[last] as ProgressReport))
        t.fail(`${from}..${to}: a mixture`);
    }
  }
});
