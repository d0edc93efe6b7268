import type { FailureReason } from "../../shared/states.ts";
import { printable } from "../../shared/stream-name.ts";

/** How a process ended: `code` and `signal` both null where nobody was there to see. */
export type Exit = { readonly code: number | null; readonly signal: string | null };

export type Failure = {
  readonly reason: FailureReason;
  /** Trying again cannot help: somebody has to change something first. */
  readonly permanent: boolean;
  readonly message: string;
};

const ENCODER = new RegExp(
  [
    "error while opening encoder",
    "no capable devices found",
    "openencodesessionex failed",
    String.raw`cannot load (?:libcuda|nvcuda|libnvidia-encode|nvencodeapi)`,
    "failed to initiali[sz]e vaapi",
    "no va display found",
    "device creation failed",
    "a hardware device reference is required",
    "error initializing an internal mfx session",
    "error submitting (?:a |video )?frame to the encoder",
    "video encoding failed",
  ].join("|"),
  "i",
);

type Rule = readonly [pattern: RegExp, reason: FailureReason, permanent: boolean, sentence: string];

/**
 * Read against the last lines of FFmpeg's log, the first that fits wins. HOST stands for the receiver,
 * LINE for FFmpeg's own words.
 */
const RULES: readonly Rule[] = [
  [/no space left on device/i, "disk-full", false, "the disk is full"],
  // Before memory: a card whose sessions are all taken says "out of memory" too.
  [ENCODER, "encoder-failed", false, "the encoder could not be used: LINE"],
  [
    /cannot allocate memory|out of memory/i,
    "out-of-memory",
    false,
    "there was no memory left for FFmpeg",
  ],
  [
    /already publishing/i,
    "already-publishing",
    false,
    "HOST says that somebody else is publishing with this key",
  ],
  [
    /failed to resolve hostname|name or service not known|temporary failure in name resolution/i,
    "dns",
    false,
    "the name HOST could not be looked up",
  ],
  [/connection refused/i, "connection-refused", false, "HOST refused the connection"],
  [
    /connection timed out|operation timed out|no route to host|network is unreachable|host is unreachable/i,
    "timed-out",
    false,
    "HOST could not be reached",
  ],
  [
    /(?:NetStream|NetConnection)\.[\w.]*(?:BadName|Rejected|Unauthorized|Failed|InvalidApp|Denied)|server error:|authentication failed|unauthorized|ERROR:PEER|bad secret/i,
    "auth-or-path-rejected",
    false,
    "HOST rejected the stream: its application or key is wrong, or not allowed to publish",
  ],
  [
    /packet is missing pts|packet with unknown timestamp/i,
    "codec-unsupported",
    true,
    "the input lacks the times that a copy needs: use --mode encode",
  ],
  [
    /unknown encoder|encoder .* not found|decoder .* not found/i,
    "codec-unsupported",
    true,
    "this FFmpeg lacks a codec that the stream needs",
  ],
  [
    /not compatible with flv|could not find tag for codec|incorrect codec parameters(?![^\n]*(?:connection|broken pipe|timed out|input\/output))|codec not currently supported in container/i,
    "codec-unsupported",
    true,
    "the container cannot carry a track of the input",
  ],
  [
    /unrecognized option|invalid option or argument|option .* not found|unknown option|error parsing option|invalid value.*preset/i,
    "option-unsupported",
    true,
    "this FFmpeg does not know an option that StreamBro uses",
  ],
  [
    /protocol not found/i,
    "option-unsupported",
    true,
    "this FFmpeg was built without the protocol of the destination",
  ],
  [
    /item-\d+[^\n]*no such file|impossible to open[^\n]*item-/i,
    "input-missing",
    false,
    "the input is gone",
  ],
  [
    /moov atom not found|invalid data found when processing input|does not contain any stream|matches no streams/i,
    "input-corrupt",
    false,
    "the input cannot be read as media",
  ],
  [
    /broken pipe|connection reset|end of file|error writing trailer|av_interleaved_write_frame/i,
    "network-lost",
    false,
    "the connection to HOST was lost",
  ],
  [
    /input\/output error/i,
    "auth-or-path-rejected",
    false,
    "HOST did not take the stream: its address, application or key is wrong, or it is not ready",
  ],
];

const KILLED = new Set(["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]);
const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  11: "SIGSEGV",
  13: "SIGPIPE",
  15: "SIGTERM",
};

/** The exit status as a shell records it: 128 and the signal's number, where one ended the process. */
export const exitOf = (status: number): Exit => {
  const signal = SIGNALS[status - 128];
  return signal === undefined ? { code: status, signal: null } : { code: null, signal };
};

/** Lines that may say why FFmpeg ended: the last ones, without what describes the input (indented). */
const JUDGED_LINES = 12;

/** What an encoder sums up at its end, some twenty lines behind the one that tells. */
const SUMMARY = /^\[(?:libx264|aac) @ [^\]]*\] (?!.*(?:error|invalid|fail|cannot|could not))/i;

/** What FFmpeg says of a damaged picture or sound, and plays on. */
const PLAYED_ON =
  /error while decoding stream|error submitting (?:a )?packet to (?:the )?decoder|^\[[^\]]*\] (?:error processing packet in decoder|decoding error)/i;

const judged = (logTail: string): string =>
  logTail
    .slice(Math.max(0, logTail.lastIndexOf("Press [q]")))
    .split(/[\r\n]+/)
    .filter((line) => line !== "" && !/^\s/.test(line) && !line.startsWith("frame="))
    .filter((line) => !SUMMARY.test(line) && !PLAYED_ON.test(line))
    .slice(-JUDGED_LINES)
    .join("\n");

/** The first rule that fits; but what was lost later than the input was found damaged is the cause. */
const ruleFor = (last: string): Rule | undefined => {
  const first = RULES.find(([pattern]) => pattern.test(last));
  if (first?.[1] !== "input-corrupt") return first;
  const lines = last.split("\n");
  const lost = RULES.find(([, reason]) => reason === "network-lost");
  const latest = (rule: Rule): number => lines.findLastIndex((line) => rule[0].test(line));
  return lost !== undefined && latest(lost) > latest(first) ? lost : first;
};

/** What an encoder or its device said itself, before FFmpeg's general remarks; without its address. */
const ownWords = (last: string, pattern: RegExp): string => {
  const lines = last.split("\n");
  const own = lines.find((line) =>
    /^\[(?:h264_|libx264|AVHWDevice|hwupload|aac)[^\]]*\]/.test(line),
  );
  const line = own ?? lines.find((one) => pattern.test(one)) ?? "";
  return printable(line.replace(/^\[[^\]]*\] /, ""));
};

/** Why FFmpeg ended although nobody asked it to, from its exit and the last lines of its log. */
export const classify = (exit: Exit, logTail: string, host: string): Failure => {
  const because = (reason: FailureReason, sentence: string, permanent = false): Failure => ({
    reason,
    permanent,
    message: sentence,
  });
  const last = judged(logTail);
  // FFmpeg 6.1 and later end with 143 for "no route to host", which looks like 128 and SIGTERM.
  const unreachable = exit.signal === "SIGTERM" && /no route to host/i.test(last);
  if (exit.signal !== null && !unreachable && KILLED.has(exit.signal)) {
    return because("killed", `FFmpeg was ended from outside by ${exit.signal}`);
  }
  if (exit.signal !== null && !unreachable)
    return because("crashed", `FFmpeg crashed (${exit.signal})`);
  // FFmpeg ends with 255 when it was asked to, by INT or TERM, and it was not us who asked.
  if (exit.code === 255 && /exiting normally, received signal/i.test(last)) {
    return because("killed", "FFmpeg was asked to end by somebody else");
  }
  if (exit.code === 0) return because("end-of-input", "the input came to its end early");
  const rule = ruleFor(last);
  if (rule !== undefined) {
    const [pattern, reason, permanent, sentence] = rule;
    const said = sentence
      .replaceAll("HOST", host)
      .replaceAll("LINE", () => ownWords(last, pattern));
    return because(reason, said, permanent);
  }
  if (exit.code === null)
    return because("unknown", "FFmpeg ended, and nobody was there to see how");
  if (exit.code === 126 || exit.code === 127) {
    return because(
      "spawn-failed",
      "FFmpeg could not be run: is it installed, and on the daemon's PATH?",
    );
  }
  return because("unknown", `FFmpeg ended with exit status ${exit.code}; see its log`);
};
