import path from "node:path";
import { printable } from "../../shared/stream-name.ts";
import { containerOf } from "../ffmpeg/argv.ts";
import type { Failure } from "../ffmpeg/failure.ts";
import { unfit } from "../media/container.ts";
import { lookAt } from "../media/look.ts";
import type { MediaInfo } from "../media/media-info.ts";
import { probeInput } from "../media/probe.ts";

/** The programs that are run: names to look for on PATH, or absolute paths. */
export type Tools = { readonly ffmpeg: string; readonly ffprobe: string };

export type Examined =
  | { readonly ok: true; readonly media: MediaInfo }
  | { readonly ok: false; readonly failure: Failure };

const LOOK_MS = 5_000;

/**
 * Whether a file can be streamed to a URL as it is, and what it is. `known` is what it was before: of
 * the very same file nothing new is asked, since to read the index of a long film takes its time.
 */
export const examine = async (
  input: string,
  url: string,
  tools: Tools,
  known: MediaInfo | null = null,
): Promise<Examined> => {
  const media = known !== null && (await isUnchanged(input, known)) ? known : null;
  const probed = media === null ? await probeInput(input, tools) : ({ ok: true, media } as const);
  if (!probed.ok) {
    const { reason, message } = probed;
    return { ok: false, failure: { reason, permanent: false, message } };
  }
  const misfit = unfit(probed.media, containerOf(url), printable(path.basename(input)));
  return misfit === null
    ? probed
    : { ok: false, failure: { reason: "codec-unsupported", permanent: true, message: misfit } };
};

const isUnchanged = async (input: string, { sizeBytes, mtimeMs }: MediaInfo): Promise<boolean> => {
  const found = await lookAt(input, LOOK_MS);
  return (
    !("failed" in found) &&
    found.kind === "file" &&
    found.readable &&
    found.sizeBytes === sizeBytes &&
    found.mtimeMs === mtimeMs
  );
};
