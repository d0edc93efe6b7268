import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { HistoryEntry } from "../../shared/contract/history.ts";

/** Which entries; `since` is included, `until` is not, both in Unix milliseconds. */
export type Query = {
  readonly names: readonly string[] | null;
  /** Only entries of streams that were this owner's then, and of the daemon itself. */
  readonly owner?: string | null;
  readonly since: number | null;
  readonly until: number | null;
  /** Only entries of lower numbers. */
  readonly before?: number;
  /** Only entries of this number and higher ones. */
  readonly from?: number;
  readonly limit: number;
};

/** The daemon's own entries stand under a name that no stream can have. */
const DAEMON = "";

/** Among the details, where no release of this format trips over it. */
const OWNER = "owner";

const INSERT =
  "INSERT OR IGNORE INTO entries (id, at, stream, kind, came_from, went_to, reason, message, uid, user, details, skipped) " +
  "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/** The entries on disk. Every method works at once, and throws what SQLite says where it cannot. */
export class Archive {
  /** Rows by stream, the daemon's own under the empty name. */
  readonly rows: Map<string, number> = new Map<string, number>();
  /** The highest number ever given before this was opened, also to what was pruned since. */
  readonly lastId: number;
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #fact: StatementSync;
  /** Nothing was written since the last checkpoint. */
  #isSettled = true;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#insert = db.prepare(INSERT);
    this.#fact = db.prepare("SELECT value FROM facts WHERE name = ?");
    for (const row of db.prepare("SELECT stream, count(*) AS n FROM entries GROUP BY stream").all())
      this.rows.set(String(row["stream"]), Number(row["n"]));
    const row = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").get();
    this.lastId = Number(row?.["seq"] ?? 0);
  }

  /** All of it or nothing. */
  write(entries: readonly HistoryEntry[]): void {
    this.#isSettled = false;
    this.#inOne(() => {
      for (const entry of entries) this.#insert.run(...columnsOf(entry));
    });
    for (const { stream } of entries) this.#count(stream ?? DAEMON, 1);
  }

  /** The newest that fit, oldest first, and whether there are older ones. */
  read({ names, owner = null, since, until, before, from, limit }: Query): {
    entries: HistoryEntry[];
    more: boolean;
  } {
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    const where = (condition: string, ...given: SQLInputValue[]): void => {
      conditions.push(condition);
      values.push(...given);
    };
    if (names !== null) where("stream IN (SELECT value FROM json_each(?))", JSON.stringify(names));
    if (owner !== null)
      where(`(stream = ? OR json_extract(details, '$.${OWNER}') = ?)`, DAEMON, owner);
    if (since !== null) where("at >= ?", since);
    if (until !== null) where("at < ?", until);
    if (before !== undefined) where("id < ?", before);
    if (from !== undefined) where("id >= ?", from);
    const filter = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
    const found = this.#db
      .prepare(`SELECT * FROM entries${filter} ORDER BY id DESC LIMIT ?`)
      .all(...values, limit + 1);
    const entries = found.slice(0, limit).map(entryOfRow).toReversed();
    return { entries, more: found.length > limit };
  }

  /** Removes the oldest rows of one stream; how many. */
  pruneStream(stream: string, most: number): number {
    const oldest = "SELECT id FROM entries WHERE stream = ? ORDER BY id LIMIT ?";
    const { changes } = this.#db
      .prepare(`DELETE FROM entries WHERE id IN (${oldest})`)
      .run(stream, most);
    this.#count(stream, -Number(changes));
    return Number(changes);
  }

  /**
   * Removes what comes before the first row that is not older than `before`, `most` rows at most: what
   * was written while the clock was wrong is as young as what stands around it.
   */
  pruneOlder(before: number, most: number): number {
    const oldest = this.#db
      .prepare("SELECT id, at, stream FROM entries ORDER BY id LIMIT ?")
      .all(most);
    const young = oldest.findIndex((row) => Number(row["at"]) >= before);
    const old = young < 0 ? oldest : oldest.slice(0, young);
    const last = old.at(-1);
    if (last === undefined) return 0;
    this.#db.prepare("DELETE FROM entries WHERE id <= ?").run(Number(last["id"]));
    for (const row of old) this.#count(String(row["stream"]), -1);
    return old.length;
  }

  /** A fact that is not an entry; null removes it. */
  note(name: string, value: string | null): void {
    this.#isSettled = false;
    const text =
      value === null
        ? "DELETE FROM facts WHERE name = ?"
        : "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
    this.#db.prepare(text).run(...(value === null ? [name] : [name, value]));
  }

  noted(name: string): string | null {
    const row = this.#fact.get(name);
    return row === undefined ? null : String(row["value"]);
  }

  /** Brings what was written from the journal into the file, and both to the disk. */
  checkpoint(): void {
    if (this.#isSettled) return;
    this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)");
    this.#isSettled = true;
  }

  /** All of it, into a file that is not there yet. */
  copyTo(file: string): void {
    this.#db.prepare("VACUUM INTO ?").run(file);
  }

  close(): void {
    this.#db.close();
  }

  #count(stream: string, by: number): void {
    const count = (this.rows.get(stream) ?? 0) + by;
    if (count > 0) this.rows.set(stream, count);
    else this.rows.delete(stream);
  }

  #inOne(work: () => void): void {
    this.#db.exec("BEGIN");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      // On a full disk SQLite has gone back by itself.
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }
}

const columnsOf = (entry: HistoryEntry): SQLInputValue[] => {
  const { id, at, stream, kind, from, to, reason, message, by, skipped, owner } = entry;
  const details = owner === null ? entry.details : { ...entry.details, [OWNER]: owner };
  const who = [by?.uid ?? null, by?.user ?? null];
  const when = Date.parse(at);
  const what = [stream ?? DAEMON, kind, from, to, reason, message];
  return [id, when, ...what, ...who, JSON.stringify(details), skipped];
};

const entryOfRow = (row: Record<string, unknown>): HistoryEntry => {
  const text = (name: string): string | null => {
    const value = row[name];
    return typeof value === "string" ? value : null;
  };
  const { [OWNER]: owner = null, ...details } = detailsOf(text("details"));
  return {
    id: Number(row["id"]),
    at: instantOf(Number(row["at"])),
    stream: text("stream") === DAEMON ? null : text("stream"),
    owner: typeof owner === "string" ? owner : null,
    kind: text("kind") as HistoryEntry["kind"],
    from: text("came_from"),
    to: text("went_to"),
    reason: text("reason"),
    message: text("message") ?? "",
    by: row["uid"] === null ? null : { uid: Number(row["uid"]), user: text("user") },
    details,
    skipped: Number(row["skipped"]),
  };
};

/** Furthest from the epoch that a date can be, in milliseconds. */
const MOST_MS = 8.64e15;

/** One row of a damaged file must not take all others with it. */
const instantOf = (ms: number): string => new Date(Math.abs(ms) <= MOST_MS ? ms : 0).toISOString();

const detailsOf = (text: string | null): HistoryEntry["details"] => {
  try {
    const details: unknown = JSON.parse(text ?? "{}");
    const isObject = typeof details === "object" && details !== null && !Array.isArray(details);
    return isObject ? (details as HistoryEntry["details"]) : {};
  } catch {
    return {};
  }
};
