/** A program and its arguments. */
export type Command = readonly [string, ...string[]];

/** A user as the kernel sees it, with what a process of it is told of itself. */
export type Account = {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** All groups, the first one too. */
  readonly groups: readonly number[];
  readonly home: string;
};

/**
 * In whose name an input is opened. `daemon`: in the daemon's own, as its owner is root or the daemon's
 * user. `owner`: a daemon that is root becomes the owner, and the kernel judges. `descriptor`: a daemon
 * that can become nobody has a program walk to the file, judge each step as the kernel would judge the
 * owner's, and hand on what it has opened.
 */
export type Opening =
  | { readonly as: "daemon" }
  | { readonly as: "owner"; readonly account: Account }
  | {
      readonly as: "descriptor";
      readonly account: Account;
      /** Path of the program. */
      readonly program: string;
      /** The daemon's own user, by name or number. */
      readonly daemon: string;
    };

/** A file that is to be played, and in whose name it is opened. Its path is absolute. */
export type Input = { readonly path: string; readonly opening: Opening };

/** One that is opened in the daemon's own name. */
export const ownInput = (path: string): Input => ({ path, opening: { as: "daemon" } });

/** Where the program puts what it has opened. The runner passes it on to FFmpeg. */
export const DESCRIPTOR = 6;
export const PINNED: string = `/proc/self/fd/${DESCRIPTOR}`;

/** What a command has to call the input: each time it is opened, the very file that was judged. */
export const openableName = ({ path, opening }: Input): string =>
  opening.as === "descriptor" ? PINNED : path;

/** What has to be run so that `command` can look at the input, and at nothing that its owner may not. */
export const looking = (input: Input, command: Command): Command =>
  becoming(input, null, walking(input, command));

/**
 * The input as the daemon keeps an eye on it while it plays. Where a walk would cost a program each time,
 * in the daemon's own name: nobody is told what is seen, and what has changed is examined as the owner's
 * before anything comes of it.
 */
export const watched = (input: Input): Input =>
  input.opening.as === "descriptor" ? ownInput(input.path) : input;

/** What has to be run so that FFmpeg itself can do no more than the owner; its runner stays the daemon's. It is to be in `directory`. */
export const playing = ({ opening }: Input, directory: string, command: Command): Command =>
  opening.as === "owner" ? becoming({ opening }, directory, command) : command;

/** In front of a command that, or a child of which, opens the input by its name. */
export const walking = ({ path, opening }: Input, command: Command): Command => {
  if (opening.as !== "descriptor") return command;
  const { uid, groups } = opening.account;
  return [process.execPath, opening.program, String(uid), groups.join(","), path, ...command];
};

/**
 * setpriv ends with no way back: all ids, no capability, nothing that a program could gain. Groups by
 * number, so that no directory service is asked here.
 */
const becoming = (
  { opening }: Pick<Input, "opening">,
  directory: string | null,
  command: Command,
): Command => {
  if (opening.as !== "owner") return command;
  const { uid, gid, groups, home, name } = opening.account;
  const place = directory === null ? [] : ["-C", directory];
  const set = [`HOME=${home}`, `USER=${name}`, `LOGNAME=${name}`];
  const ids = ["--reuid", String(uid), "--regid", String(gid)];
  const list = groups.length === 0 ? ["--clear-groups"] : ["--groups", groups.join(",")];
  const bare = ["--no-new-privs", "--inh-caps=-all"];
  return ["env", ...place, "-u", "TMPDIR", ...set, "setpriv", ...ids, ...list, ...bare, ...command];
};

/** What a run's record keeps of it: enough to lay out its directory again. */
export type RecordedOpening =
  | { readonly as: "owner"; readonly uid: number }
  | { readonly as: "descriptor" }
  | null;

export const openingOf = ({ opening }: Input): RecordedOpening => {
  if (opening.as === "daemon") return null;
  return opening.as === "owner" ? { as: "owner", uid: opening.account.uid } : { as: "descriptor" };
};

/** Whose right it is that decides, for sentences; null where it is the daemon's own. */
export const ownerOf = ({ opening }: Input): string | null =>
  opening.as === "daemon" ? null : opening.account.name;
