import {
  chmodSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf } from "../log/message-of.ts";
import { moveAside } from "../store/record-file.ts";
import { Archive } from "./archive.ts";

/** Of the tables below; a release that changes them raises it, and brings older ones up to date. */
export const SCHEMA_VERSION = 1;

export type Opened =
  | { readonly is: "open"; readonly archive: Archive }
  /** Written by a later release: left alone. */
  | { readonly is: "newer"; readonly version: number }
  | { readonly is: "corrupt"; readonly why: string }
  /** It may be good, and cannot be used just now. */
  | { readonly is: "failed"; readonly error: unknown };

/**
 * One process has the file, by the state directory's lock: so no index in shared memory is needed, which
 * a full disk could take away under a running program. NORMAL: a commit takes 0.01 ms instead of the
 * 0.2 ms and more of FULL, and loses nothing to the death of this process; a power failure may take what
 * was written since the last checkpoint, which comes every ten seconds, and leaves the file whole.
 */
const PRAGMAS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA journal_size_limit = 1048576;
  PRAGMA cache_size = -512;
  PRAGMA trusted_schema = OFF;
`;

const TABLES = `
  BEGIN IMMEDIATE;
  CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    stream TEXT NOT NULL,
    kind TEXT NOT NULL,
    came_from TEXT,
    went_to TEXT,
    reason TEXT,
    message TEXT NOT NULL,
    uid INTEGER,
    user TEXT,
    details TEXT NOT NULL,
    skipped INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS entries_by_stream ON entries (stream);
  CREATE INDEX IF NOT EXISTS entries_by_time ON entries (at);
  CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
  COMMIT;
`;

/** Opens the file, or makes it, for this user's eyes only. Never throws. */
export const openArchive = (file: string): Opened => {
  let db: DatabaseSync | null = null;
  try {
    const { O_CREAT, O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
    closeSync(openSync(file, O_CREAT | O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0o600));
    chmodSync(file, 0o600);
    db = new DatabaseSync(file);
    // Before anything is read: from then on it is too late.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    const version = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (version > SCHEMA_VERSION) {
      db.close();
      return { is: "newer", version };
    }
    db.exec(PRAGMAS);
    if (version < SCHEMA_VERSION) db.exec(TABLES);
    return { is: "open", archive: new Archive(db) };
  } catch (error) {
    closeQuietly(db);
    // Of a statement that was never wrong: tables that are not what they should be.
    const isBad = isCorrupt(error) || resultOf(error) === SQLITE_ERROR;
    return isBad ? { is: "corrupt", why: messageOf(error) } : { is: "failed", error };
  }
};

/** Tells the file that a path leads to from any other; null where there is none. */
export const identityOf = (file: string): string | null => {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev}:${found.ino}`;
};

/** Puts a file that was removed while it is open back under its name. Throws what SQLite says. */
export const putBack = (archive: Archive, file: string): void => {
  const copy = `${file}.again.tmp`;
  try {
    rmSync(copy, { force: true });
    closeSync(openSync(copy, "wx", 0o600));
    archive.copyTo(copy);
    renameSync(copy, file);
  } catch (error) {
    rmSync(copy, { force: true });
    throw error;
  }
};

const SQLITE_ERROR = 1;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** Whether the file itself is bad, and not the disk or what was asked of it. */
export const isCorrupt = (error: unknown): boolean =>
  [SQLITE_CORRUPT, SQLITE_NOTADB].includes(resultOf(error) ?? -1);

/** SQLite's primary result code; null for another error. */
const resultOf = (error: unknown): number | null => {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === "ERR_SQLITE_ERROR" && typeof errcode === "number" ? errcode & 0xff : null;
};

const closeQuietly = (db: DatabaseSync | null): void => {
  try {
    if (db?.isOpen === true) db.close();
  } catch {
    // What could not be written is lost with it.
  }
};

/** Of files that were set aside; the oldest go. */
const MOST_ASIDE = 2;

/** Gives a file that cannot be read another name, its journal with it; that name, or null where it stays. */
export const setAside = (file: string, now: number): string | null => {
  const movedTo = moveAside(file, now);
  if (movedTo === null) return null;
  try {
    // Played into a new file, it would make a bad one of that too.
    renameSync(`${file}-wal`, `${movedTo}-wal`);
  } catch {
    // There was none.
  }
  const directory = path.dirname(file);
  const begin = `${path.basename(file)}.unreadable-`;
  const aside = readdirSync(directory).filter((name) => name.startsWith(begin));
  const kept = aside
    .filter((name) => !name.endsWith("-wal"))
    .toSorted()
    .slice(-MOST_ASIDE);
  for (const name of aside) {
    if (!kept.includes(name.replace(/-wal$/, "")))
      rmSync(path.join(directory, name), { force: true });
  }
  return movedTo;
};
