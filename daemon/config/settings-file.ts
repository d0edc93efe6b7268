import { closeSync, openSync, readSync, statSync } from "node:fs";
import { LineCounter, type Node, isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";
import type { Document, Scalar } from "yaml";
import { printable } from "../../shared/stream-name.ts";
import { messageOf } from "../log/message-of.ts";
import { type SettingName, SETTING_NAMES, inFile, nearest, settingNamed } from "./names.ts";

/** What a file says: values not looked at yet, and what is wrong with the file itself. */
export type FileSays = {
  readonly found: boolean;
  readonly values: ReadonlyMap<SettingName, unknown>;
  readonly errors: readonly string[];
};

const MOST_BYTES = 1 << 16;
const MOST_YAML_ERRORS = 5;

/**
 * Reads the configuration file. One that was asked for must exist. `again`: it was read before, and a
 * pipe, which holds its text only once, would now be empty.
 */
export const readSettingsFile = (file: string, mustExist: boolean, again: boolean): FileSays => {
  const none = new Map<SettingName, unknown>();
  const failed = (why: string): FileSays => ({
    found: true,
    values: none,
    errors: [`${printable(file, 4096)}: ${why}.`],
  });
  try {
    if (again && statSync(file).isFIFO()) return failed("a pipe cannot be read a second time");
    const text = readBounded(file);
    return text === null ? failed("it is too long for a file of settings") : understand(file, text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") return failed(`it cannot be read (${code ?? messageOf(error)})`);
    return mustExist ? failed("there is no such file") : { found: false, values: none, errors: [] };
  }
};

/** Null where there is more than a sane file has. */
const readBounded = (file: string): string | null => {
  const descriptor = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(MOST_BYTES + 1);
    let length = 0;
    for (let more = 1; more > 0 && length < bytes.length; length += more)
      more = readSync(descriptor, bytes, length, bytes.length - length, null);
    return length > MOST_BYTES ? null : bytes.toString("utf8", 0, length);
  } finally {
    closeSync(descriptor);
  }
};

const understand = (file: string, text: string): FileSays => {
  const values = new Map<SettingName, unknown>();
  const where = printable(file, 4096);
  const lines = new LineCounter();
  const { contents, errors, document } = parsed(text, lines);
  const lineOf = (offset: number): number => lines.linePos(offset).line;
  if (errors.length > 0) {
    const sentences = errors
      .slice(0, MOST_YAML_ERRORS)
      .map(({ at, why }) => `${where}: line ${lineOf(at)} is not YAML: ${printable(why)}`);
    return { found: true, values, errors: sentences };
  }
  if (contents === null || (isScalar(contents) && contents.value === null))
    return { found: true, values, errors: [] };
  if (!isMap<Node, Node | null>(contents)) {
    const rule = 'it must hold lines such as "retry_max_ms: 10000"';
    return { found: true, values, errors: [`${where}: ${rule}.`] };
  }
  const wrong: string[] = [];
  const seenIn = new Map<string, number>();
  for (const { key, value } of contents.items) {
    const line = lineOf(key.range?.[0] ?? 0);
    const word = isScalar(key) ? textOf(key) : "";
    const name = settingNamed(word);
    const before = seenIn.get(word.toUpperCase());
    if (name === undefined) wrong.push(`${where}: ${unknown(word, line, wrong.length)}`);
    else if (before === undefined) values.set(name, plain(value, document));
    else
      wrong.push(`${where}: ${inFile(name)}: it is there twice, in lines ${before} and ${line}.`);
    seenIn.set(word.toUpperCase(), line);
  }
  return { found: true, values, errors: wrong };
};

/** A key as it was written: 0x10 and true are none, and are said to be none. */
const textOf = ({ value, source }: Scalar): string =>
  typeof value === "string" ? value : (source ?? "");

type Parsed = {
  readonly contents: Node | null;
  readonly errors: readonly { readonly at: number; readonly why: string }[];
  readonly document: Document.Parsed | null;
};

const parsed = (text: string, lineCounter: LineCounter): Parsed => {
  try {
    // Keys that are there twice are told with both their lines, below.
    const options = { lineCounter, prettyErrors: false, uniqueKeys: false };
    const document = parseDocument(text, { ...options, logLevel: "error" });
    const errors = document.errors.map(({ pos, message }) => ({ at: pos[0], why: message }));
    return { contents: document.contents, errors, document };
  } catch (error) {
    // Brackets within brackets, deeper than any stack.
    return { contents: null, errors: [{ at: 0, why: messageOf(error) }], document: null };
  }
};

/** To look for what somebody may have meant takes long where everything is wrong, and helps nobody. */
const MOST_ADVICE = 50;

const unknown = (word: string, line: number, before: number): string => {
  if (word === "") return `line ${line}: a setting's name is one plain word.`;
  const meant = before >= MOST_ADVICE ? null : nearest(word, SETTING_NAMES.map(inFile));
  const advice = meant === null ? "See: streambrod --help-settings" : `Did you mean ${meant}?`;
  return `${printable(word, 80)}: there is no such setting (line ${line}). ${advice}`;
};

/** A value as the settings take it; lists and mappings are wrong whatever they hold. */
const plain = (node: Node | null, document: Document.Parsed | null): unknown => {
  if (node === null) return null;
  if (isScalar(node)) return node.value;
  if (isAlias(node)) {
    const meant = document === null ? undefined : node.resolve(document);
    // Of nothing at all, it is as wrong as a list.
    return meant === undefined || isAlias(meant) ? [] : plain(meant, null);
  }
  return isSeq(node) ? [] : {};
};
