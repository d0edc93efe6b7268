import { Buffer } from "node:buffer";
import { promises } from "node:fs";
import { EXIT } from "../shared/errors.ts";
import { printable } from "../shared/stream-name.ts";
import type { Terminal } from "./terminal.ts";

/** Where the operator keeps a stream key: never on the command line. */
export type KeySource = { readonly keyFile?: string; readonly keyStdin?: boolean };

export type KeyRead =
  | { readonly ok: true; readonly key: string | null }
  | { readonly ok: false; readonly status: number; readonly sentence: string };

const MAX_KEY_BYTES = 4096;

/**
 * Reads the key, if one is given. A source that cannot be read is a failed operation (1), contents
 * that are no key are an invalid setting (78). What was read is in no sentence.
 */
export const readKey = async (source: KeySource, terminal: Terminal): Promise<KeyRead> => {
  const { keyFile, keyStdin } = source;
  if (keyFile !== undefined && keyStdin === true) {
    return bad(EXIT.usage, "give --key-file or --key-stdin, not both.");
  }
  if (keyFile === undefined && keyStdin !== true) return { ok: true, key: null };
  const where = keyFile === undefined ? "standard input" : `the key file ${printable(keyFile)}`;
  try {
    const bytes =
      keyFile === undefined
        ? await terminal.readStdin(MAX_KEY_BYTES + 1)
        : await readStart(keyFile, MAX_KEY_BYTES + 1);
    return parseKey(bytes, where);
  } catch (error) {
    return bad(EXIT.failed, `${where} cannot be read: ${reason(error)}.`);
  }
};

/** A key as it stood in a file: newlines at its end are not part of it. */
export const parseKey = (bytes: Buffer, where: string): KeyRead => {
  if (bytes.length > MAX_KEY_BYTES) {
    return bad(EXIT.invalid, `${where} holds more than ${MAX_KEY_BYTES} bytes, which is no key.`);
  }
  const key = bytes.toString("utf8").replace(/[\r\n]+$/, "");
  if (key === "") return bad(EXIT.invalid, `${where} is empty; a key was expected there.`);
  if (/[\p{Cc}\uFFFD\uFEFF]/u.test(key)) {
    return bad(EXIT.invalid, `${where} holds more than a key: one line of plain text is expected.`);
  }
  return { ok: true, key };
};

const bad = (status: number, sentence: string): KeyRead => ({ ok: false, status, sentence });

const readStart = async (file: string, most: number): Promise<Buffer> => {
  const handle = await promises.open(file, "r");
  try {
    const bytes = Buffer.alloc(most);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, most - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === most) return bytes.subarray(0, length);
    }
  } finally {
    await handle.close();
  }
};

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  ENOTDIR: "no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
};

const reason = (error: unknown): string => {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
  return REASONS[code] ?? code;
};
