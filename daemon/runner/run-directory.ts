import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { presetText } from "../ffmpeg/argv.ts";
import { listsOf } from "../media/playlist.ts";
import { PINNED, type Opening } from "../reach/input.ts";
import type { RunRecord } from "../store/schemas.ts";

/** What FFmpeg is told to open in a run directory. */
export const PLAYLIST = "outer.ffconcat";
export const PRESET = "output-0.ffpreset";

export type Contents = {
  readonly record: RunRecord;
  readonly secrets: Readonly<Record<string, string>>;
};

/**
 * Lays out a run directory: the record, the playlist, the link to the input, the options that nobody
 * may see. Also mends one that lost its files under a live stream; what the runner and FFmpeg write is
 * not touched. Throws the system's error where there is no room.
 */
export const layOut = (directory: string, { record, secrets }: Contents): void => {
  // The runtime directory itself may be gone, and is not for this user alone.
  mkdirSync(path.dirname(path.dirname(directory)), { recursive: true, mode: 0o755 });
  mkdirSync(path.dirname(directory), { recursive: true, mode: 0o700 });
  const { opening } = record;
  // FFmpeg that is another user's has it as its working directory, and its parents let nobody through.
  const mode = opening?.as === "owner" ? 0o711 : 0o700;
  mkdirSync(directory, { recursive: true, mode });
  if (mode !== 0o700) chmodSync(directory, mode);
  const reader = opening?.as === "owner" ? opening.uid : null;
  const link = linkName(record.input);
  const lists = listsOf(link, record.media, record.timeline);
  for (const [name, text] of Object.entries(lists))
    replace(path.join(directory, name), text, reader);
  if (Object.keys(secrets).length > 0)
    replace(path.join(directory, PRESET), presetText(secrets), reader);
  const temporary = path.join(directory, `${link}.new`);
  rmSync(temporary, { force: true });
  symlinkSync(opening?.as === "descriptor" ? PINNED : record.input, temporary);
  renameSync(temporary, path.join(directory, link));
  // Last: a directory with a record is whole.
  replace(path.join(directory, "run.json"), `${JSON.stringify(record)}\n`, null);
};

/** Where FFmpeg finds what lies in its run directory: another user's FFmpeg, by no other way than from within. */
export const placeFor = (opening: Opening, directory: string): string =>
  opening.as === "owner" ? "" : directory;

export const isWhole = (directory: string): boolean => existsSync(path.join(directory, "run.json"));

export const removeRunDirectory = (directory: string): void =>
  rmSync(directory, { recursive: true, force: true });

/** FFmpeg finds some demuxers by the name's ending; the rest of a name could upset the playlist. */
const linkName = (input: string): string => {
  const ending = path.extname(input).toLowerCase();
  return /^\.[a-z0-9]{1,5}$/.test(ending) ? `item-0${ending}` : "item-0";
};

/** `reader` is the one other user who may read it, and who could do no more with it than FFmpeg does. */
const replace = (file: string, text: string, reader: number | null): void => {
  rmSync(`${file}.new`, { force: true });
  writeFileSync(`${file}.new`, text, { mode: reader === null ? 0o600 : 0o400 });
  if (reader !== null) chownSync(`${file}.new`, reader, -1);
  renameSync(`${file}.new`, file);
};
