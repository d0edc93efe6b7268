import path from "node:path";
import { printable } from "../../shared/stream-name.ts";
import { containerOf } from "../ffmpeg/argv.ts";
import type { Failure } from "../ffmpeg/failure.ts";
import type { EncoderChoice, EncoderSource } from "../encoders/choice.ts";
import { withPreset } from "../encoders/presets.ts";
import { lookAt } from "../media/look.ts";
import type { Input } from "../reach/input.ts";
import type { Reach } from "../reach/reach.ts";
import type { MediaInfo } from "../media/media-info.ts";
import { probeInput } from "../media/probe.ts";
import type { SeenMedia } from "../media/seen-media.ts";
import { type TrackPlan, type Wish, planTracks } from "../media/track-plan.ts";

/** The programs that are run: names to look for on PATH, or absolute paths. */
export type Tools = { readonly ffmpeg: string; readonly ffprobe: string };

/** What it takes to judge an input. */
export type Means = {
  readonly tools: Tools;
  readonly encoders: EncoderSource;
  readonly seen: SeenMedia;
  readonly reach: Pick<Reach, "of">;
  /** Aborted where nobody waits for the judgement any more. */
  readonly ending?: AbortSignal;
};

/** What is to be played, where to, and how. */
export type Request = Wish & {
  readonly input: string;
  /** Whose stream it is: what this user may not read is not opened. */
  readonly owner: string;
  readonly url: string;
  /** Its hardware encoder has failed since an operator started it. */
  readonly softwareOnly?: boolean;
  /** What it was when it was last played; of an earlier daemon, perhaps. */
  readonly known?: MediaInfo | null;
};

export type Examined =
  | {
      readonly ok: true;
      readonly input: Input;
      readonly media: MediaInfo;
      readonly plan: TrackPlan;
      /** Null where the picture is copied. */
      readonly encoder: EncoderChoice | null;
      /** Why software encodes although hardware was chosen; null where that is not so. */
      readonly fallback: string | null;
    }
  | { readonly ok: false; readonly failure: Failure };

const LOOK_MS = 5_000;

/**
 * Whether a file can be streamed to a URL as it is wanted, and how. Of the very same file that was seen
 * before nothing new is asked, since to read the index of a long film takes its time.
 */
export const examine = async (
  { input: file, owner, url, softwareOnly = false, known = null, ...wish }: Request,
  { tools, encoders, seen, reach, ending }: Means,
): Promise<Examined> => {
  const reached = await reach.of(owner, file);
  if (!reached.ok) return reached;
  const { input } = reached;
  // Only after a look in this owner's name; and where ffprobe was another user's, that user may have
  // answered in its stead.
  const memo = memoOf(input);
  const before = seen.of(memo) ?? known;
  const media = before !== null && (await isUnchanged(input, before)) ? before : null;
  const probed =
    media === null ? await probeInput(input, tools, ending) : ({ ok: true, media } as const);
  if (!probed.ok) {
    const { reason, message } = probed;
    return { ok: false, failure: { reason, permanent: false, message } };
  }
  seen.remember(memo, probed.media);
  const shown = printable(path.basename(file));
  const planned = planTracks(probed.media, containerOf(url), wish, shown);
  if (!planned.ok)
    return {
      ok: false,
      failure: { reason: "codec-unsupported", permanent: true, message: planned.message },
    };
  const { plan } = planned;
  const found = { ok: true, input, media: probed.media, plan } as const;
  if (plan.video.action === "copy") return { ...found, encoder: null, fallback: null };
  const chosen = await encoders.choose(wish.encoding.encoder, softwareOnly);
  if (chosen.ok) {
    const encoder = withPreset(chosen.encoder, wish.encoding.preset);
    return { ...found, encoder, fallback: chosen.fallback };
  }
  // A driver may come late: it is tried again.
  const failure = { reason: "encoder-failed", permanent: false, message: chosen.message } as const;
  return { ok: false, failure };
};

const memoOf = ({ path: file, opening }: Input): string =>
  opening.as === "owner" ? `${opening.account.uid}:${file}` : file;

const isUnchanged = async (
  input: Input,
  { sizeBytes, mtimeMs, video }: MediaInfo,
): Promise<boolean> => {
  // Release 0.1 did not look, nor some after it at everything.
  if (video.rotation === null || video.pixelFormat === null) return false;
  const found = await lookAt(input, LOOK_MS);
  return (
    !("failed" in found) &&
    found.kind === "file" &&
    found.readable &&
    found.sizeBytes === sizeBytes &&
    found.mtimeMs === mtimeMs
  );
};
