import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { MAX_FRAME_BYTES } from "../../shared/protocol.ts";
import { lastLines, linesAfter, untilWritten } from "../../daemon/logs/follow.ts";
import { readBytes, rotateWhenLonger, sizeOf } from "../../daemon/logs/log-file.ts";

const home = mkdtempSync(path.join(tmpdir(), "streambro-logs-"));
t.teardown(() => rmSync(home, { recursive: true, force: true }));
let serial = 0;
const log = (text?: string): string => {
  const file = path.join(home, `${(serial += 1)}.log`);
  if (text !== undefined) writeFileSync(file, text);
  return file;
};

t.test("the last lines, over the file before, whole ones only", async (t) => {
  t.same(lastLines(log(), 5).lines, [], "no log yet");
  t.same(lastLines(log(""), 5).lines, []);
  const file = log("one\ntwo\nthr");
  t.same(lastLines(file, 5).lines, ["one", "two"]);
  t.same(lastLines(file, 1).lines, ["two"]);
  t.same(lastLines(file, 0).lines, []);
  t.equal(lastLines(file, 0).cursor, lastLines(file, 5).cursor);
  writeFileSync(`${file}.1`, "minus one\nzero\n");
  t.same(lastLines(file, 3).lines, ["zero", "one", "two"]);
  t.same(lastLines(file, 99).lines, ["minus one", "zero", "one", "two"]);
  truncateSync(file, 0);
  t.same(lastLines(file, 1).lines, ["zero"]);
  t.same(lastLines(log("a\n\nb\n"), 9).lines, ["a", "", "b"], "an empty line is one");
});

t.test("following a cursor loses nothing and says nothing twice", async (t) => {
  const file = log("one\ntw");
  let { cursor } = lastLines(file, 9);
  const next = (): string[] => {
    const piece = linesAfter(file, cursor);
    ({ cursor } = piece);
    return piece.lines;
  };
  t.same(next(), []);
  appendFileSync(file, "o\nthree\nfo");
  t.same(next(), ["two", "three"]);
  t.same(next(), []);
  appendFileSync(file, "ur\n");
  t.same(next(), ["four"]);
  appendFileSync(file, "€");
  appendFileSync(file, Buffer.from("€").subarray(0, 1));
  t.same(next(), []);
  appendFileSync(file, Buffer.concat([Buffer.from("€").subarray(1), Buffer.from("\n")]));
  t.same(next(), ["€€"], "a letter in two writes");
  truncateSync(file, 0);
  t.same(next(), [], "emptied");
  appendFileSync(file, "new\n");
  t.same(next(), ["new"]);
  rmSync(file);
  t.same(next(), []);
  for (const odd of ["", "x", "-5", "1e99", "0x10", "999999999999999999999", "NaN", " "]) {
    writeFileSync(file, "a\nb\n");
    t.same(linesAfter(file, odd).lines.at(-1), "b", `cursor ${JSON.stringify(odd)}`);
  }
});

t.test("a follower gets every line of a large log in pieces", async (t) => {
  const lines = Array.from({ length: 20_000 }, (_, n) => `line ${n} ${"x".repeat(n % 60)}`);
  const file = log(`${lines.join("\n")}\n`);
  const found: string[] = [];
  let cursor = "0";
  for (let rounds = 0; rounds < 20; rounds += 1) {
    const piece = linesAfter(file, cursor);
    found.push(...piece.lines);
    ({ cursor } = piece);
  }
  t.equal(found.length, lines.length);
  t.equal(found.join("\n"), lines.join("\n"));
  const endless = log("y".repeat(1_000_000));
  const piece = linesAfter(endless, "0");
  t.ok(Number(piece.cursor) > 0, "a line without an end does not hold it up");
});

t.test("an answer fits a frame, whatever is in the log", async (t) => {
  for (const text of ['"\\', "\u0001", "\u001B", "\uFFFD", "a\n", "\n"]) {
    const file = log(text.repeat(600_000));
    writeFileSync(`${file}.1`, `${text.repeat(300_000)}\n`);
    appendFileSync(file, "\n");
    const size = (piece: object): number => Buffer.byteLength(JSON.stringify(piece));
    t.ok(
      size(lastLines(file, 10_000)) < MAX_FRAME_BYTES,
      `last lines of ${JSON.stringify(text)}: ${size(lastLines(file, 10_000))}`,
    );
    t.ok(
      size(linesAfter(file, "0")) < MAX_FRAME_BYTES,
      `following ${JSON.stringify(text)}: ${size(linesAfter(file, "0"))}`,
    );
  }
});

t.test("rotation bounds the log in place", async (t) => {
  const file = log("x".repeat(100));
  rotateWhenLonger(file, 100);
  t.equal(sizeOf(file), 100, "not longer");
  const { ino } = statSync(file);
  appendFileSync(file, "end");
  rotateWhenLonger(file, 100);
  t.equal(sizeOf(file), 0);
  t.equal(statSync(file).ino, ino, "FFmpeg goes on writing to the same file");
  t.equal(readFileSync(`${file}.1`, "utf8"), `${"x".repeat(97)}end`);
  t.equal(statSync(`${file}.1`).mode & 0o007, 0, "not for everybody");
  rotateWhenLonger(path.join(home, "none"), 1);
  t.match(readBytes(path.join(home, "none"), 0, 5), { end: 0 });
  t.match(readBytes(`${file}.1`, 1_000, 5), { end: 100 });
});

t.test("waiting for a line", async (t) => {
  const gone = new AbortController();
  const file = log("one\n");
  const began = performance.now();
  const written = untilWritten(file, 10_000, gone.signal);
  appendFileSync(file, "two\n");
  await written;
  t.ok(performance.now() - began < 5_000, "woken by the write");
  await untilWritten(file, 20, gone.signal);
  const leaving = untilWritten(file, 10_000, gone.signal);
  gone.abort();
  await leaving;
  await untilWritten(path.join(home, "none"), 20, new AbortController().signal);
  const late = performance.now();
  await untilWritten(file, 3_000, gone.signal);
  t.ok(performance.now() - late < 1_500, "nobody waits for a caller who is gone already");
});
