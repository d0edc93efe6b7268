import type { Encoding, Mode } from "../../shared/contract/spec.ts";
import type { Tracks } from "../../shared/contract/status.ts";
import type { EncoderChoice } from "../encoders/choice.ts";
import { type OutputContainer, pictureMisfit, soundMisfit } from "./container.ts";
import type { MediaInfo } from "./media-info.ts";
import { type Picture, pictureOf } from "./picture.ts";

/** AAC in stereo. */
type Sound = { readonly sampleRate: 44_100 | 48_000; readonly audioKbps: number };

/** What becomes of a film's two tracks; `index` is a track's number in the file. */
export type TrackPlan = {
  readonly video:
    | { readonly action: "copy"; readonly index: number }
    | { readonly action: "encode"; readonly index: number; readonly picture: Picture };
  readonly audio:
    | { readonly action: "copy"; readonly index: number }
    | { readonly action: "encode"; readonly index: number; readonly sound: Sound }
    /** The film has no sound, and platforms demand some. */
    | { readonly action: "silence"; readonly sound: Sound }
    /** The film has no sound, and everything is to be as it is. */
    | { readonly action: "none" };
};

export type Planned =
  | { readonly ok: true; readonly plan: TrackPlan }
  /** A sentence that says why, and what to do. */
  | { readonly ok: false; readonly message: string };

/** What an operator asked of a stream's tracks. */
export type Wish = { readonly mode: Mode; readonly encoding: Encoding };

/** What becomes of the tracks of `media`, called `file`, on their way into `container`. */
export const planTracks = (
  media: MediaInfo,
  container: OutputContainer,
  { mode, encoding }: Wish,
  file = "the input",
): Planned => {
  const picture = pictureMisfit(media, container, file);
  const sound = soundMisfit(media, container, file);
  if (mode === "copy" && (picture !== null || sound !== null))
    return { ok: false, message: refusal(picture, sound) };
  const { video, audio } = media;
  const encodesPicture = mode === "encode" || picture !== null;
  const encodesSound = mode === "encode" || sound !== null;
  const quiet: TrackPlan["audio"] =
    mode === "copy" ? { action: "none" } : { action: "silence", sound: soundOf(null, encoding) };
  const heard = (heardOf: NonNullable<MediaInfo["audio"]>): TrackPlan["audio"] =>
    encodesSound
      ? { action: "encode", index: heardOf.index, sound: soundOf(heardOf, encoding) }
      : { action: "copy", index: heardOf.index };
  return {
    ok: true,
    plan: {
      video: encodesPicture
        ? { action: "encode", index: video.index, picture: pictureOf(video, encoding) }
        : { action: "copy", index: video.index },
      audio: audio === null ? quiet : heard(audio),
    },
  };
};

const soundOf = (audio: MediaInfo["audio"], { audioKbps }: Encoding): Sound => ({
  sampleRate: audio?.sampleRate === 44_100 ? 44_100 : 48_000,
  audioKbps: audioKbps ?? ((audio?.channels ?? 1) > 1 ? 160 : 128),
});

const refusal = (picture: string | null, sound: string | null): string => {
  const seen = picture === null ? "copy" : "libx264 -pix_fmt yuv420p -g 60";
  const heard = sound === null ? "copy" : "aac -ar 48000";
  const what =
    picture === null
      ? "only the sound is then encoded"
      : `the picture${sound === null ? " is" : " and the sound are"} then encoded`;
  return (
    `${picture ?? sound ?? ""}. Leave out --mode copy (${what}), ` +
    `or convert it once: ffmpeg -i INPUT -c:v ${seen} -c:a ${heard} OUTPUT.mp4`
  );
};

const sizeOf = ({ width, height }: Picture): string => `${width}x${height}`;

/** The same for people: `encoder` is the one that a plan with an encoded picture runs with, `fallback` why. */
export const tracksOf = (
  plan: TrackPlan,
  encoder: EncoderChoice | null,
  fallback: string | null,
): Tracks => ({
  video: {
    ...{ action: plan.video.action, encoder: encoder?.name ?? null, fallback },
    ...(plan.video.action === "encode" ? { size: sizeOf(plan.video.picture) } : {}),
  },
  audio: { action: plan.audio.action },
});
