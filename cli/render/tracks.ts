import { codecName } from "../../shared/codec-name.ts";
import type { Result } from "../../shared/contract/methods.ts";

type Input = Result<"stream.add">["input"];

const changed = (from: string, to: string): string => (from === to ? to : `${from} to ${to}`);

/** How many points a size such as "1920x1080" has; not a number where it is none. */
const pointsOf = (size: string): number => {
  const [width = Number.NaN, height = Number.NaN] = size.split("x").map(Number);
  return width * height;
};

/** What becomes of an input's two tracks, as in "picture copied, sound encoded (Opus to AAC)". */
export const tracksText = ({ tracks, video, audio }: Input): string => {
  // A daemon of release 0.1 does not say, and copies.
  if ((tracks as Input["tracks"] | undefined) === undefined) return "copied";
  const [codec = "", own = ""] = video.split(" ");
  const { action, encoder, fallback, size = "" } = tracks.video;
  const shrunk = pointsOf(size) < pointsOf(own) ? `at ${size}` : null;
  const by = [changed(codecName(codec), "H.264"), encoder, fallback, shrunk].filter(
    (part) => part !== null,
  );
  const picture = action === "copy" ? "picture copied" : `picture encoded (${by.join(", ")})`;
  const sounds = {
    copy: "sound copied",
    encode: `sound encoded (${changed(codecName(audio ?? ""), "AAC")})`,
    silence: "silence added",
    none: "no sound",
  };
  return `${picture}, ${sounds[tracks.audio.action]}`;
};
