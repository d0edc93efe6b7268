import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

const BIN = path.resolve(import.meta.dirname, "../../bin");

/** Debian's, for programs with threads. */
const library = (): string => {
  const found = readdirSync("/usr/lib")
    .map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`)
    .find((file) => existsSync(file));
  if (found === undefined)
    throw new Error("faketime is missing: run ./scripts/bootstrap --for test");
  return found;
};

export type FakeTime = {
  /** Folder of a `streambrod` whose wall clock can be set, and of a `streambro` as it always is. */
  readonly bin: string;
  /** Sets the wall clock of the daemon, and of nobody else, to so many seconds from the true time. */
  readonly set: (offsetS: number) => void;
};

/** A wall clock for the daemon alone; its monotonic clock and its files' times stay true. */
export const fakeTime = (dir: string): FakeTime => {
  mkdirSync(dir, { recursive: true });
  const file = path.join(dir, "offset");
  const set = (offsetS: number): void => {
    writeFileSync(`${file}.new`, `${offsetS < 0 ? "-" : "+"}${Math.abs(offsetS)}\n`);
    renameSync(`${file}.new`, file);
  };
  set(0);
  const variables = {
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: "1",
    FAKETIME_DONT_FAKE_MONOTONIC: "1",
    DONT_FAKE_MONOTONIC: "1",
    NO_FAKE_STAT: "1",
    LD_PRELOAD: library(),
  };
  const assigned = Object.entries(variables).map(([name, value]) => `${name}='${value}'`);
  const script = path.join(dir, "streambrod");
  writeFileSync(
    script,
    `#!/bin/sh\nexport ${assigned.join(" ")}\nexec '${path.join(BIN, "streambrod")}' "$@"\n`,
  );
  chmodSync(script, 0o755);
  symlinkSync(path.join(BIN, "streambro"), path.join(dir, "streambro"));
  return { bin: dir, set };
};
