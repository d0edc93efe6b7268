import path from "node:path";
import { type CommandOptions, type Finished, command } from "./command.ts";

/** One system call: the lines of the record at which it began and ended. */
export type Call = {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
  /** Where it leads: of a descriptor or a name; of a rename, the new one. */
  readonly target: string;
  /** Of a rename, the old name. */
  readonly from: string | null;
  readonly text: string;
};

const NAMES = "openat,write,pwrite64,writev,sendmsg,fsync,fdatasync,rename,unlink,rmdir,mkdir";

/** Options of strace that record what `callsOf` reads. `-D`: the program keeps its own pid and parent. */
export const recordTo = (file: string): string[] =>
  `-D -f -y -qq --seccomp-bpf -s 64 -e signal=none -o ${file} -e trace=${NAMES}`.split(" ");

/** Why strace cannot be used here; false where it can. */
export const noStrace = async (): Promise<string | false> => {
  const traced = await command("strace", ["-o", "/dev/null", "true"]).catch(() => null);
  return traced?.code === 0 ? false : "strace cannot be used here";
};

/** Runs a program that is killed as soon as one of its threads begins its `n`th call of this name. */
export const killedAt = (
  [name, n]: readonly [string, number],
  program: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<Finished> => {
  const inject = ["-e", `trace=${name}`, "-e", `inject=${name}:signal=KILL:when=${n}`];
  return command("strace", ["-f", "-qq", "-o", "/dev/null", ...inject, program, ...args], {
    ...options,
    // One thread makes every call that is not waited for: the `n`th is the same one every time.
    env: { ...options.env, UV_THREADPOOL_SIZE: "1" },
  });
};

/** Every call of a record that succeeded, in the order of their ends. */
export const callsOf = (record: string): Call[] => {
  const open = new Map<string, { begin: number; text: string }>();
  return record.split("\n").flatMap((line, at) => {
    const [, pid = "", rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const unfinished = /^(\w+\(.*) <unfinished \.\.\.>$/.exec(rest);
    if (unfinished !== null) {
      open.set(pid, { begin: at, text: unfinished[1] ?? "" });
      return [];
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const begun = resumed === null ? undefined : open.get(pid);
    const text = begun === undefined ? rest : `${begun.text}${resumed?.[1] ?? ""}`;
    const name = /^(\w+)\(/.exec(text)?.[1];
    if (name === undefined || !/ = \d+(<.*>)?$/.test(text)) return [];
    const quoted = [...text.matchAll(/"([^"]*)"/g)].map(([, one = ""]) => one);
    const isByName = /^(openat|rename|unlink|rmdir|mkdir)$/.test(name);
    const descriptor = /^\w+\(\d+<([^>]*)>/.exec(text)?.[1] ?? "";
    const target = isByName ? (quoted.at(-1) ?? "") : descriptor;
    const from = name === "rename" ? (quoted[0] ?? null) : null;
    return [{ name, begin: begun?.begin ?? at, end: at, target, from, text }];
  });
};

const isSync = ({ name }: Call): boolean => name === "fsync" || name === "fdatasync";
const isWrite = ({ name }: Call): boolean => /^p?write/.test(name);

/**
 * What a loss of power could undo or damage of what was renamed into a directory, or removed from it:
 * sentences. `isAnswer`: from such a call on it must be safe.
 */
export const offences = (
  calls: readonly Call[],
  directory: string,
  isAnswer: (call: Call) => boolean,
): string[] => {
  const below = (file: string): boolean => file.startsWith(`${directory}/`);
  const name = (file: string): string => path.relative(directory, file);
  return calls.flatMap((call) => {
    if (call.name === "unlink" && below(call.target) && !call.target.endsWith(".tmp"))
      return unsafe(calls, call, isAnswer) ? [`the removal of ${name(call.target)}`] : [];
    if (call.name !== "rename" || call.from === null || !below(call.target)) return [];
    const { from, target } = call;
    const found: string[] = [];
    if (path.dirname(from) !== path.dirname(target)) found.push(`${name(target)}: from elsewhere`);
    const written = calls.filter((one) => isWrite(one) && one.target === from);
    const last = written.at(-1);
    const synced = calls.some(
      (one) =>
        isSync(one) && one.target === from && one.begin > (last?.end ?? 0) && one.end < call.begin,
    );
    if (last === undefined || last.end > call.begin || !synced)
      found.push(`${name(target)}: its data`);
    if (unsafe(calls, call, isAnswer)) found.push(`${name(target)}: its name`);
    return found;
  });
};

/** Whether the directory was not synced after this call, and before the next answer. */
const unsafe = (
  calls: readonly Call[],
  { target, end }: Call,
  isAnswer: (call: Call) => boolean,
): boolean => {
  const directory = path.dirname(target);
  const synced = calls.find((one) => isSync(one) && one.target === directory && one.begin > end);
  const answer = calls.find((one) => one.begin > end && isAnswer(one));
  return synced === undefined || (answer !== undefined && synced.end > answer.begin);
};
