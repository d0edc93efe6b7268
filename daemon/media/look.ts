import { type Input, looking, openableName } from "../reach/input.ts";
import { type RefusedOpening, refusalOf } from "../reach/refusal.ts";
import { type Ended, runBounded } from "./bounded.ts";

/** A file's own facts; links are followed. */
export type Facts = {
  /** `special` is a pipe, a socket or a device: to open one may block for ever. */
  readonly kind: "file" | "directory" | "special";
  readonly sizeBytes: number;
  /** The very number that Node's `stat` gives, as positions keep it. */
  readonly mtimeMs: number;
  /** Whether whoever it is opened for may read it. */
  readonly readable: boolean;
};

export type Unseen = {
  /** `tool`: stat(1) does not run; the others: what opens an input in its owner's name does not. */
  readonly failed: RefusedOpening | "timed-out" | "tool" | "setpriv" | "walker";
  /** The component of the path that is in the way, where that is known. */
  readonly at?: string;
};

/** One process, so that killing it leaves none behind: the shell becomes stat. */
const SCRIPT = `may=-; [ ! -r "$1" ] || may=r; exec stat -L -c "$may %f %s %.9Y" -- "$1"`;

/**
 * Looks at a file without opening it. In a process of its own: on a disk that does not answer a look
 * never ends, and four of them would take up every thread that this process writes files with. Settles
 * within `withinMs`, and never throws.
 */
export const lookAt = async (
  input: Input,
  withinMs: number,
  signal?: AbortSignal,
): Promise<Facts | Unseen> => {
  const command = looking(input, ["/bin/sh", "-c", SCRIPT, "look", openableName(input)]);
  const ended = await runBounded(input.path, command, {
    ...{ withinMs, signal },
    mostBytes: 4_096,
  });
  const refused = refusalOf(ended.exitCode, ended.stderr);
  if (refused !== null) return { failed: refused.is, at: refused.at };
  if (ended.timedOut) return { failed: "timed-out" };
  const facts = factsOf(ended.stdout.toString("latin1"));
  if (ended.exitCode === 0 && facts !== null) return facts;
  // stat itself ends with 1; so does Node, and setpriv.
  if (ended.exitCode === 1 && /^stat: /m.test(ended.stderr))
    return { failed: whyUnseen(ended.stderr) };
  return { failed: whatFailed(input, ended) };
};

/** The shell, and the program that becomes it, end with 126 or 127 where there is none to become. */
const whatFailed = ({ opening }: Input, { exitCode, stderr }: Ended): Unseen["failed"] => {
  if (opening.as === "owner" && /^(?:env|setpriv): /m.test(stderr)) return "setpriv";
  return opening.as === "descriptor" && exitCode !== 126 && exitCode !== 127 ? "walker" : "tool";
};

const whyUnseen = (complaint: string): Unseen["failed"] => {
  if (/: (No such file or|Not a) directory\n$/.test(complaint)) return "missing";
  return /: (Permission denied|Operation not permitted)\n$/.test(complaint)
    ? "forbidden"
    : "unreadable";
};

const KINDS: Readonly<Record<number, Facts["kind"]>> = {
  0o100_000: "file",
  0o040_000: "directory",
};

const factsOf = (line: string): Facts | null => {
  const words = /^([r-]) ([0-9a-f]+) (\d+) (-?)(\d+)\.(\d{9})\n$/.exec(line);
  if (words === null) return null;
  const [, may, mode = "", size, before, whole, part] = words;
  const [seconds, nanoseconds] = [Number(whole), Number(part)];
  return {
    kind: KINDS[Number.parseInt(mode, 16) & 0o170_000] ?? "special",
    sizeBytes: Number(size),
    mtimeMs:
      before === "-" ? beforeEpoch(seconds, nanoseconds) : milliseconds(seconds, nanoseconds),
    readable: may === "r",
  };
};

/** As Node reckons it, down to the last bit. */
const milliseconds = (seconds: number, nanoseconds: number): number =>
  seconds * 1000 + nanoseconds / 1_000_000;

/** Kept as whole seconds downwards and nanoseconds upwards from there. */
const beforeEpoch = (seconds: number, nanoseconds: number): number =>
  nanoseconds === 0
    ? milliseconds(-seconds, 0)
    : milliseconds(-seconds - 1, 1_000_000_000 - nanoseconds);
