import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { type CommandOptions, type Finished, command } from "./command.ts";
import { type Daemon, startDaemon } from "./daemon.ts";
import { canBeNobody } from "./nobody.ts";

const BIN = path.resolve(import.meta.dirname, "../../bin");

/** The service's user, its group, and the group that may do everything. */
const SERVICE = 4_100;
const MEMBERS = 4_110;
const ADMINS = 4_111;

/** Users of a machine that only the daemon sees: their numbers and, beside their own, their groups. */
export const PEOPLE = {
  anna: { uid: 4_101, groups: [MEMBERS] },
  bob: { uid: 4_102, groups: [MEMBERS] },
  carla: { uid: 4_103, groups: [MEMBERS, ADMINS] },
  /** May use the socket, and is in no list of users, as a number of somebody's container is. */
  ghost: { uid: 4_105, groups: [MEMBERS] },
  /** May not use the socket. */
  dora: { uid: 4_104, groups: [] },
} as const;
export type Person = keyof typeof PEOPLE;

export type Company = {
  readonly daemon: Daemon;
  /** Where everybody may read and nobody but root may write. */
  readonly dir: string;
  /** Runs `streambro ARGS` as one of them. */
  readonly as: (who: Person, ...args: string[]) => Promise<Finished>;
  /** Runs any program as one of them. */
  readonly run: (who: Person, program: string, args: readonly string[]) => Promise<Finished>;
  /** The words before a program that make one of them of whoever starts it. */
  readonly become: (who: Person) => readonly string[];
  readonly end: () => Promise<void>;
};

const idsOf = (uid: number, gid: number, groups: readonly number[]): string[] => [
  ...["--reuid", String(uid), "--regid", String(gid)],
  ...(groups.length === 0 ? ["--clear-groups"] : ["--groups", groups.join(",")]),
];

/** Why there can be no company here; false where there can. */
export const whyNoCompany = async (): Promise<string | false> => {
  if (!(await canBeNobody())) return "it takes root, to become other users";
  const made = await command("unshare", ["-m", "mount", "--make-rprivate", "/"]);
  return made.code === 0 ? false : `no mount namespace: ${made.stderr.trim()}`;
};

/**
 * A daemon that runs as an ordinary user, and others who ask it. What it takes for `/etc/passwd` and
 * `/etc/group` is mounted for it alone: nothing of this machine is changed.
 */
export const startCompany = async (config = ""): Promise<Company> => {
  const dir = mkdtempSync(path.join(os.tmpdir(), "sb-co-"));
  const at = (name: string): string => path.join(dir, name);
  chmodSync(dir, 0o755);
  const named = Object.entries(PEOPLE).filter(([name]) => name !== "ghost");
  const users = named.map(([name, { uid }]) => `${name}:x:${uid}:${uid}::/:/bin/sh`);
  const service = `streambro:x:${SERVICE}:${MEMBERS}::/:/bin/sh`;
  const passwd = [readFileSync("/etc/passwd", "utf8").trimEnd(), service, ...users, ""];
  writeFileSync(at("passwd"), passwd.join("\n"));
  const groups = [`streambro:x:${MEMBERS}:`, `streambro-admin:x:${ADMINS}:`, ""];
  writeFileSync(at("group"), [readFileSync("/etc/group", "utf8").trimEnd(), ...groups].join("\n"));
  const [bin, place] = [at("bin"), at("d")];
  mkdirSync(bin);
  mkdirSync(place, { mode: 0o755 });
  chownSync(place, SERVICE, MEMBERS);
  const ids = idsOf(SERVICE, MEMBERS, [MEMBERS]).join(" ");
  const starter = [
    "#!/bin/sh",
    "exec unshare -m sh -c '",
    `mount --make-rprivate / && mount --bind "${at("passwd")}" /etc/passwd &&`,
    `mount --bind "${at("group")}" /etc/group &&`,
    `exec setpriv ${ids} env -u NODE_OPTIONS "${BIN}/streambrod" "$@"' sh "$@"`,
    "",
  ];
  writeFileSync(path.join(bin, "streambrod"), starter.join("\n"), { mode: 0o755 });
  writeFileSync(path.join(bin, "streambro"), `#!/bin/sh\nexec "${BIN}/streambro" "$@"\n`, {
    mode: 0o755,
  });
  const daemon = await startDaemon({ dir: place, bin, config });
  const become: Company["become"] = (who) => {
    const { uid, groups: theirs } = PEOPLE[who];
    // They may not write where a test runner would have them leave a record.
    return ["setpriv", ...idsOf(uid, uid, theirs), "env", "-u", "NODE_OPTIONS"];
  };
  const run: Company["run"] = async (who, program, args) => {
    const [setpriv, ...rest] = become(who);
    const options: CommandOptions = { env: daemon.env, cwd: "/" };
    return command(setpriv ?? "", [...rest, program, ...args], options);
  };
  return {
    ...{ daemon, dir, become, run },
    as: (who, ...args) => run(who, `${BIN}/streambro`, args),
    end: async () => {
      await daemon.end();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};
