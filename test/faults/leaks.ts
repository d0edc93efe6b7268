import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import path from "node:path";
import { call } from "../helpers/rpc.ts";
import { filesBelow } from "../soak/census.ts";
import { ANSWER_MS } from "./bounds.ts";
import type { Seen } from "./process-table.ts";
import type { Stage } from "./stage.ts";

/** Files that hold keys, and which nobody but the daemon's user may read. */
const SECRET = /\/keys(\/|$)|\/output-\d+\.ffpreset(\.new)?$/;
const PIECE_BYTES = 1 << 20;

/** Searches for the streams' keys wherever they must not be. */
export class LeakSearch {
  readonly #stage: Stage;
  readonly #needle: RegExp;
  /** How far a file that only grows was searched. */
  readonly #offsets = new Map<string, { inode: number; offset: number; changedMs: number }>();

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#needle = new RegExp(stage.targets.map(({ key }) => RegExp.escape(key)).join("|"));
  }

  /** The receivers' own are left out: they are this process's children. */
  inCommandLines(seen: readonly Seen[]): void {
    for (const { pid, parent, argv } of seen)
      if (parent !== process.pid) this.#search(argv.join(" "), `the command line of ${pid}`);
  }

  inFiles(): void {
    const { daemon } = this.#stage;
    const files = filesBelow(daemon.stateDir, daemon.runtimeDir);
    for (const file of files)
      if (SECRET.test(file)) this.#mode(file);
      else this.#inFile(file);
    for (const name of ["stdout", "stderr"]) this.#inFile(path.join(daemon.dir, name));
    const there = new Set(files);
    for (const file of this.#offsets.keys())
      if (!there.has(file) && !file.startsWith(`${daemon.dir}/std`)) this.#offsets.delete(file);
  }

  async inAnswers(): Promise<void> {
    const { daemon, targets, times } = this.#stage;
    if (times.isAway) return;
    const ask = async (what: string, answer: Promise<unknown>): Promise<void> => {
      // A daemon that does not answer leaks nothing; that it does not is seen elsewhere.
      const text = await answer.then(JSON.stringify, String);
      this.#search(text, `the answer to ${what}`);
    };
    const { socket } = daemon;
    const number = Math.floor(performance.now() / 1_000) % targets.length;
    const name = targets[number]?.name ?? "";
    await ask("stream.status", call(socket, "stream.status", {}, ANSWER_MS));
    await ask("stream.show", call(socket, "stream.show", { name }, ANSWER_MS));
    await ask("stream.command", call(socket, "stream.command", { name }, ANSWER_MS));
    await ask("stream.logs", call(socket, "stream.logs", { name, lines: 50 }, ANSWER_MS));
    await ask("daemon.metrics", call(socket, "daemon.metrics", {}, ANSWER_MS));
  }

  #search(text: string, where: string): void {
    const found = this.#needle.exec(text);
    if (found === null) return;
    const around = text.slice(Math.max(0, found.index - 60), found.index + found[0].length + 20);
    this.#stage.violations.broken("no-leak", `${where}: ...${around}...`, where);
  }

  #mode(file: string): void {
    const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
    if ((mode & 0o077) !== 0)
      this.#stage.violations.broken("no-leak", `${file} has mode ${(mode & 0o777).toString(8)}`);
  }

  /** Only what was not searched before: logs grow, and other files are small. */
  #inFile(file: string): void {
    const found = statSync(file, { throwIfNoEntry: false });
    // A FIFO would be waited for.
    if (found === undefined || !found.isFile()) return;
    const before = this.#offsets.get(file);
    const { ino: inode, size, mtimeMs: changedMs } = found;
    if (before?.inode === inode && before.changedMs === changedMs) return;
    const grown = before?.inode === inode && size > before.offset && size > PIECE_BYTES / 16;
    const from = grown ? before.offset : 0;
    try {
      this.#search(pieceOf(file, Math.max(from, size - 4 * PIECE_BYTES), size), file);
    } catch {
      // It went meanwhile.
    }
    this.#offsets.set(file, { inode, offset: size, changedMs });
  }
}

const pieceOf = (file: string, from: number, to: number): string => {
  if (from === 0 && to < PIECE_BYTES) return readFileSync(file, "latin1");
  const fd = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(Math.max(0, to - from));
    const length = readSync(fd, buffer, 0, buffer.length, from);
    return buffer.toString("latin1", 0, length);
  } finally {
    closeSync(fd);
  }
};
