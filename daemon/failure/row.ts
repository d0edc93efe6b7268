import type { Exit } from "../ffmpeg/failure.ts";
import type { FailureReason } from "../../shared/states.ts";

/** One line of the failure table. What it gives, of `exit`, `said` and `atOnce`, must all be so. */
export type Row = {
  readonly id: string;
  readonly reason: FailureReason;
  /** Trying again cannot help: somebody has to change something first. */
  readonly permanent: boolean;
  readonly exit?: (exit: Exit) => boolean;
  /** Read against the last lines of FFmpeg's log, joined by line breaks. */
  readonly said?: RegExp;
  /** Only where it ended within the first moments of the broadcast. */
  readonly atOnce?: true;
  /** NAME stands for the stream, HOST for the receiver, LINE for FFmpeg's own words, SIGNAL and STATUS for its exit. */
  readonly happened: string;
  /** For somebody who is woken by it. */
  readonly advice: string;
};
