import { clocksIn, stepsBack } from "../../../daemon/media/clock-jump.ts";
import { interleaveOf } from "../../../daemon/media/interleave.ts";
import { packetsIn } from "../../../daemon/media/packets.ts";
import { mediaInfo, readReport } from "../../../daemon/media/probe-report.ts";
import { MediaInfo } from "../../../daemon/media/media-info.ts";
import type { Target } from "../engine.ts";
import { hold, isFinite, isNumber } from "../properties.ts";

const REPORT = JSON.stringify({
  streams: [
    {
      ...{ index: 0, codec_name: "h264", codec_type: "video", width: 160, height: 90 },
      ...{ has_b_frames: 2, sample_aspect_ratio: "1:1", pix_fmt: "yuv420p", field_order: "tt" },
      ...{
        r_frame_rate: "25/1",
        avg_frame_rate: "25/1",
        start_time: "0.080000",
        duration: "6.000",
      },
      disposition: { default: 1, attached_pic: 0 },
      side_data_list: [{ side_data_type: "Display Matrix", rotation: -90 }],
    },
    {
      ...{ index: 1, codec_name: "aac", codec_type: "audio", sample_rate: "48000", channels: 1 },
      ...{ r_frame_rate: "0/0", start_time: "0.0", duration: "5.99", disposition: { default: 1 } },
    },
  ],
  format: { format_name: "mov,mp4,m4a,3gp,3g2,mj2", start_time: "0.000000", duration: "6.000000" },
});

const PACKETS =
  "video,0,0.080000,0.000000,0.040000,K__\naudio,1,-0.021333,-0.021333,0.021333,K_\nvideo,0,0.240000,0.040000,0.040000,___\n";

const file = { sizeBytes: 175_242, mtimeMs: 1_795_440_555_771.9 };
const NO_ORDER = { fromMs: null, toMs: null, decodedMs: null };

const reports: Target = {
  name: "reports",
  samples: [REPORT],
  mostBytes: 65_536,
  check: (bytes) => {
    const report = readReport(bytes.toString("utf8"));
    if (typeof report === "string") return;
    isFinite(report, "report");
    isNumber(report.durationMs, "durationMs", 200);
    isNumber(report.video?.frameMs, "frameMs", Number.MIN_VALUE);
    isNumber(report.audio?.frameMs, "audio.frameMs", Number.MIN_VALUE);
    for (const size of [report.video.width, report.video.height, report.video.index])
      isNumber(size, "a size", 0);
    hold([0, 90, 180, 270].includes(report.video.rotation ?? -1), "the rotation");
    const order = { reorderMs: 0, skewMs: 0, startMs: 0, video: NO_ORDER, audio: NO_ORDER };
    const media = mediaInfo(report, order, file);
    isFinite(media, "media");
    hold(MediaInfo.safeParse(media).success, "a record of it can be read again");
  },
  work: (bytes) => readReport(bytes.toString("utf8")),
};

const packets: Target = {
  name: "packets",
  samples: [PACKETS, PACKETS.repeat(20), "video,0,N/A,N/A,N/A,K\n"],
  words: [PACKETS, "video,0,0,0,0,K\n", ",", "\n"],
  mostBytes: 8_000_000,
  timedBytes: 65_536,
  cost: 3,
  check: (bytes) => {
    const found = packetsIn(bytes.toString("utf8"));
    for (const { ptsMs, dtsMs, durationMs } of found) {
      isNumber(ptsMs, "ptsMs");
      isNumber(dtsMs, "dtsMs");
      isNumber(durationMs, "durationMs", 0);
    }
    const order = interleaveOf(
      [found, found, found],
      { index: 0, frameMs: 40 },
      { index: 1, frameMs: 21 },
    );
    const { startMs, ...rest } = order;
    hold(startMs === Infinity || Number.isFinite(startMs), "startMs");
    isFinite(rest, "order");
  },
  work: (bytes) => {
    const found = packetsIn(bytes.toString("utf8"));
    return interleaveOf([found], { index: 0, frameMs: 40 }, { index: 1, frameMs: 21 });
  },
};

const transport = Buffer.alloc(188 * 8);
for (let at = 0; at < transport.length; at += 188)
  transport.set([0x47, 0x01, 0x00, 0x30, 0x07, 0x10, 0, 0, at & 0xff, 0, 0x80, 0], at);
const program = Buffer.from("000001ba44000400040100000300000001ba21000100010000", "hex");

const clocks: Target = {
  name: "clocks",
  samples: [transport, program, Buffer.alloc(600, 0x47)],
  words: ["\u0000\u0000\u0001", "G"],
  mostBytes: 262_144,
  check: (bytes) => {
    for (const container of ["mpegts", "mpeg", "constructor", "__proto__"]) {
      const readings = clocksIn(container, bytes);
      for (const { id, ticks } of readings)
        hold(Number.isInteger(id) && ticks >= 0 && ticks < 2 ** 33 + 1, `${id} at ${ticks}`);
      stepsBack(readings);
    }
  },
  work: (bytes) => [clocksIn("mpegts", bytes), clocksIn("mpeg", bytes)],
};

/** What ffprobe says of a file, and a file's own clocks. */
export const MEDIA: readonly Target[] = [reports, packets, clocks];
