/** Lines that may say why FFmpeg ended: the last ones, without what describes the input (indented). */
const JUDGED_LINES = 12;

/** What an encoder sums up at its end, some twenty lines behind the one that tells. */
const SUMMARY = /^\[(?:libx264|aac) @ [^\]]*\] (?!.*(?:error|invalid|fail|cannot|could not))/i;

/** What FFmpeg says of a damaged picture or sound, and plays on. */
const PLAYED_ON =
  /error while decoding stream|error submitting (?:a )?packet to (?:the )?decoder|^\[[^\]]*\] (?:error processing packet in decoder|decoding error)/i;

/** Calls that only Adobe's servers know; FFmpeg prints the answer of others, and goes on. */
const HARMLESS =
  /server error:[^\n]*(?:releasestream|fcpublish|fcunpublish|_checkbw|method not found)/i;

/**
 * Twice FFmpeg's own bound. What a receiver answers is in these lines, and they are searched for dozens of
 * words: a longer one must not hold the daemon up.
 */
const MOST_CHARACTERS = 2_048;

const isTelling = (line: string): boolean =>
  line !== "" &&
  !/^\s/.test(line) &&
  !line.startsWith("frame=") &&
  ![SUMMARY, PLAYED_ON, HARMLESS].some((pattern) => pattern.test(line));

/** Of the log's last lines those that may say why FFmpeg ended, joined by line breaks. */
export const judged = (logTail: string): string =>
  logTail
    .slice(Math.max(0, logTail.lastIndexOf("Press [q]")))
    .split(/[\r\n]+/)
    .map((line) => line.slice(0, MOST_CHARACTERS))
    .filter(isTelling)
    .slice(-JUDGED_LINES)
    .join("\n");
