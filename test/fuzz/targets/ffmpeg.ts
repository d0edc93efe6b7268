import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { tellingLine } from "../../../daemon/encoders/reason.ts";
import { classify } from "../../../daemon/failure/classify.ts";
import { FAILURES } from "../../../daemon/failure/table.ts";
import { exitOf } from "../../../daemon/ffmpeg/failure.ts";
import { lastReport } from "../../../daemon/ffmpeg/progress.ts";
import { versionIn } from "../../../daemon/ffmpeg/version.ts";
import { lastLines, linesAfter } from "../../../daemon/logs/follow.ts";
import { FAILURE_REASONS } from "../../../shared/states.ts";
import { WORDS } from "../../failure/words.ts";
import type { Target } from "../engine.ts";
import {
  SECRET,
  hold,
  isClean,
  isKept,
  isNumber,
  isQuiet,
  isSaidWhole,
  isShort,
} from "../properties.ts";

const PROGRESS = [
  "frame=52\nfps=26.01\nstream_0_0_q=-1.0\nbitrate= 614.9kbits/s\ntotal_size=150703\nout_time_us=1960000\nout_time_ms=1960000\nout_time=00:00:01.960000\ndup_frames=0\ndrop_frames=0\nspeed=0.996x\nprogress=continue\n",
  "frame=0\nfps=0.00\ntotal_size=N/A\nout_time_us=N/A\nspeed=N/A\nprogress=end\n",
];

const progress: Target = {
  name: "progress",
  samples: [...PROGRESS, PROGRESS.join("")],
  words: ["progress=continue\n", "progress=", "frame=1\n", "=", "\nprogress"],
  mostBytes: 16_384,
  check: (bytes) => {
    const report = lastReport(bytes.toString("latin1"));
    if (report === null) return;
    const { outTimeMs, frame, fps, speed, totalBytes, ended } = report;
    for (const [name, value] of Object.entries({ outTimeMs, frame, fps, speed, totalBytes }))
      isNumber(value, name, 0);
    hold(typeof ended === "boolean", "ended is a boolean");
  },
  work: (bytes) => lastReport(bytes.toString("latin1")),
};

const STATUSES = [...new Set(WORDS.map(({ status }) => status))];
const EXITS = STATUSES.map((status) =>
  status === null ? { code: null, signal: null } : exitOf(status),
);
/** What each row looks for, as plain words. */
const SAID = FAILURES.flatMap(({ said }) =>
  said === undefined ? [] : said.source.split(/[()|?:[\]^\\*+]+/).filter((word) => word.length > 2),
);
const about = { name: "radio", host: "a.example:1935", secrets: [SECRET] };

const failures: Target = {
  name: "failures",
  samples: [
    ...WORDS.map(({ log }) => log),
    `[rtmp @ 0x1] Server error: ${SECRET} is not allowed\n`,
    `[h264_nvenc @ 0x1] OpenEncodeSessionEx failed: no capable devices found ${SECRET}\n`,
  ],
  words: [...SAID, "server error:", "item-1", "[libx264 @ ", "no such file", "\n", "\r"],
  // As much of the log's end as is read.
  mostBytes: 8_192,
  check: (bytes) => {
    const tail = bytes.toString("utf8");
    for (const exit of EXITS) {
      const { reason, message } = classify(exit, tail, about, 10_000);
      hold(FAILURE_REASONS.includes(reason), `the reason ${reason}`);
      isClean(message, "the message");
      isShort(message, 700, "the message");
      if (isSaidWhole(tail)) isKept(message, "the message");
    }
  },
  work: (bytes) => classify({ code: 1, signal: null }, bytes.toString("utf8"), about, 10_000),
  cost: 10,
};

const encoders: Target = {
  name: "encoders",
  samples: [
    "[h264_nvenc @ 0x55ee] Cannot load libcuda.so.1\nError initializing output stream 0:0\n",
    "[AVHWDeviceContext @ 0x1] No VA display found for device /dev/dri/renderD128.\nDevice creation failed: -22.\nFailed to set value 'vaapi=va' for option 'init_hw_device': Invalid argument\n",
    "Unknown encoder 'h264_qsv'\n",
    "[h264_v4l2m2m @ 0x1] Could not find a valid device\n[h264_v4l2m2m @ 0x1] can't configure encoder\n",
  ],
  words: ["no ", "Output file ", "[a @ ", " @ ", "] ", "[a @ b] ", "can't ", "\n"],
  mostBytes: 65_536,
  check: (bytes) => {
    const line = tellingLine(bytes.toString("utf8"));
    if (line === null) return;
    isClean(line, "the line");
    isShort(line, 201, "the line");
  },
  work: (bytes) => tellingLine(bytes.toString("utf8")),
};

const version: Target = {
  name: "version",
  samples: ["ffmpeg version 5.1.9-0+deb12u1 Copyright (c) 2000-2026 the FFmpeg developers\n"],
  mostBytes: 65_536,
  check: (bytes) => {
    const found = versionIn(bytes.toString("utf8"));
    if (found === null) return;
    isClean(found, "the version");
    isShort(found, 201, "the version");
  },
  work: (bytes) => versionIn(bytes.toString("utf8")),
};

const LOG = 131_072;

const logs: Target = {
  name: "logs",
  samples: [
    "one\ntwo\nthree\n",
    "title : \u001B]0;x\u0007 \u202E\n\tkept\r\n",
    `${"x".repeat(70_000)}\nend`,
  ],
  mostBytes: 300_000,
  cost: 20,
  check: (bytes) => {
    const home = mkdtempSync(path.join(os.tmpdir(), "streambro-fuzz-"));
    try {
      const file = path.join(home, "log");
      writeFileSync(file, bytes);
      for (const count of [0, 1, 10_000])
        for (const line of lastLines(file, count).lines) isQuiet(line, "a line");
      let cursor = "0";
      for (let most = bytes.length / LOG + 3; ; most -= 1) {
        hold(most > 0, "it never comes to the end");
        const piece = linesAfter(file, cursor);
        hold(
          /^\d+$/.test(piece.cursor) && Number(piece.cursor) <= bytes.length,
          `the cursor ${piece.cursor}`,
        );
        for (const line of piece.lines) isQuiet(line, "a line");
        if (piece.cursor === cursor) break;
        ({ cursor } = piece);
      }
      // A cursor is what a client says.
      linesAfter(file, bytes.toString("utf8", 0, 40));
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  },
};

/** What FFmpeg says: how far it is, and why it ended. */
export const FFMPEG: readonly Target[] = [progress, failures, encoders, version, logs];
