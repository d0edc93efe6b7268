import t from "tap";
import { tracksText } from "../../cli/render/tracks.ts";

const told = (video: string, size?: string): string =>
  tracksText({
    ...{ durationMs: 1, video, audio: "aac" },
    tracks: {
      video: {
        ...{ action: size === undefined ? "copy" : "encode", fallback: null },
        encoder: size === undefined ? null : "libx264",
        ...(size === undefined ? {} : { size }),
      },
      audio: { action: "copy" },
    },
  });

t.test("an encoded picture's size is told where it is smaller than the film's", async (t) => {
  const rows: readonly [video: string, size: string | undefined, expected: string][] = [
    ["h264 1280x720", undefined, "picture copied"],
    ["vp9 1280x720", "1280x720", "picture encoded (VP9 to H.264, libx264)"],
    ["vp9 1280x720", "720x1280", "picture encoded (VP9 to H.264, libx264)"],
    ["vp9 3840x2160", "1920x1080", "picture encoded (VP9 to H.264, libx264, at 1920x1080)"],
    ["h264 1280x720", "1920x1080", "picture encoded (H.264, libx264)"],
    ["vp9", "1920x1080", "picture encoded (VP9 to H.264, libx264)"],
  ];
  for (const [video, size, expected] of rows)
    t.equal(told(video, size), `${expected}, sound copied`, `${video} at ${size}`);
});
