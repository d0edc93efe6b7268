import { messageOf } from "../log/message-of.ts";
import { stat } from "node:fs/promises";
import type { Log } from "../log/log.ts";
import { rotateWhenLonger } from "../logs/log-file.ts";
import type { StreamPlaces } from "../store/layout.ts";
import type { Stream } from "./stream.ts";

/** What a running stream needs beside being watched. A failure is logged once per look and never fatal. */
export const keepUp = (
  stream: Stream,
  places: StreamPlaces,
  logMaxBytes: number,
  log: Log,
  isCheckpoint: boolean,
): void => {
  const { name } = stream.spec;
  try {
    rotateWhenLonger(places.log, logMaxBytes);
    if (stream.supervisor.session?.mend() === true) {
      log.warn(
        { event: "mended", stream: name },
        `${name}: its run directory was gone and was laid out again`,
      );
    }
  } catch (error) {
    const why = messageOf(error);
    log.warn({ event: "upkeep", stream: name }, `${name}: ${why}`);
  }
  if (!isCheckpoint) return;
  void stream.supervisor.remember();
  void refreshWhenReplaced(stream, log);
};

/** An input that was replaced under a live stream, and has come to rest, becomes a planned restart. */
const refreshWhenReplaced = async (stream: Stream, log: Log): Promise<void> => {
  const record = stream.supervisor.session?.contents.record;
  if (record === undefined) return;
  const found = await stat(record.input).catch(() => null);
  if (found === null || !found.isFile()) return;
  const { media } = record;
  if (found.size === media.sizeBytes && found.mtimeMs === media.mtimeMs) return;
  if (!stream.inputHasSettled(found.size, found.mtimeMs)) return;
  const { name } = stream.spec;
  log.info(
    { event: "replaced", stream: name },
    `${name}: its input was replaced; restarting with the new one`,
  );
  stream.supervisor.dispatch({ type: "refresh" });
};
