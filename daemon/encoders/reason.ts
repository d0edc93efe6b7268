import { printable } from "../../shared/stream-name.ts";

/** What FFmpeg says whenever an encoder does not open, whatever the cause; seen in releases 4.4 to 7.1. */
const GENERIC: readonly RegExp[] = [
  /^Error (initializing|opening) output (stream|file)/,
  /^Error while (opening encoder|filtering|processing the decoded data)/,
  /^Error (reinitializing filters|sending frames|parsing (global )?options|submitting)/,
  /^(Failed to inject frame|Conversion failed|Terminating thread|Task finished with error)/,
  /^(Could not open encoder before EOF|Nothing was written|Output file .* does not contain)/,
  /^(Last message repeated|Codec AVOption|Exiting normally|At least one output file)/,
  /^(Error splitting the argument list|Error opening output)/,
];

/** True, and a consequence of what was said before. */
const CONSEQUENCE =
  /^(Device creation failed|Failed to set value|Failed to configure|can't configure encoder)/;

const COMPLAINT =
  /cannot|can't|could not|couldn't|unable|no .*(found|available)|not (found|support)|does not|unsupported|unknown|unrecognized|fail|denied|no such|error|invalid|required/i;

/** `[h264_nvenc @ 0x55ee]`, once or several times: which part of FFmpeg speaks. */
const SPEAKER = /^(?:\[[^\]]* @ [^\]]*\]\s*)+/;

/** FFmpeg's own bound; a longer line, of whatever it was that said it, would be searched for long. */
const MOST_CHARACTERS = 1_024;

const scoreOf = (line: string): number => {
  const words = line.replace(SPEAKER, "");
  if (GENERIC.some((generic) => generic.test(words))) return 0;
  if (CONSEQUENCE.test(words)) return 1;
  if (!COMPLAINT.test(words)) return 1;
  // Encoder, device or driver by name: it knows best what it lacks.
  return SPEAKER.test(line) ? 3 : 2;
};

/**
 * The line of FFmpeg's complaints that tells why, in FFmpeg's own words: of the most telling lines the
 * first, since a cause comes before what follows from it. Null where it said nothing.
 */
export const tellingLine = (stderr: string): string | null => {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.slice(0, MOST_CHARACTERS).trim())
    .filter((line) => line !== "");
  const best = lines.reduce((most, line) => Math.max(most, scoreOf(line)), 0);
  // Nothing but what it always says: the last of it is the outcome.
  const line = best === 0 ? lines.at(-1) : lines.find((one) => scoreOf(one) === best);
  return line === undefined ? null : printable(line.replace(SPEAKER, "").replace(/\.$/, ""));
};
