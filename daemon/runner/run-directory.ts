import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { presetText } from "../ffmpeg/argv.ts";
import { listsOf } from "../media/playlist.ts";
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
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const link = linkName(record.input);
  const lists = listsOf(link, record.media, record.timeline);
  for (const [name, text] of Object.entries(lists))
    replace(path.join(directory, name), text, 0o600);
  if (Object.keys(secrets).length > 0)
    replace(path.join(directory, PRESET), presetText(secrets), 0o600);
  const temporary = path.join(directory, `${link}.new`);
  rmSync(temporary, { force: true });
  symlinkSync(record.input, temporary);
  renameSync(temporary, path.join(directory, link));
  // Last: a directory with a record is whole.
  replace(path.join(directory, "run.json"), `${JSON.stringify(record)}\n`, 0o600);
};

export const isWhole = (directory: string): boolean => existsSync(path.join(directory, "run.json"));

export const removeRunDirectory = (directory: string): void =>
  rmSync(directory, { recursive: true, force: true });

/** FFmpeg finds some demuxers by the name's ending; the rest of a name could upset the playlist. */
const linkName = (input: string): string => {
  const ending = path.extname(input).toLowerCase();
  return /^\.[a-z0-9]{1,5}$/.test(ending) ? `item-0${ending}` : "item-0";
};

const replace = (file: string, text: string, mode: number): void => {
  writeFileSync(`${file}.new`, text, { mode });
  renameSync(`${file}.new`, file);
};
