import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { writeAtomicallySync } from "./atomic-file.ts";

/** A secret of this state directory, made once: digests with it mean nothing anywhere else. */
export const saltOf = (stateDirectory: string): Buffer => {
  const file = path.join(stateDirectory, "salt");
  try {
    const salt = readFileSync(file);
    if (salt.length === 32) return salt;
  } catch {
    // There is none yet.
  }
  const salt = randomBytes(32);
  try {
    writeAtomicallySync(file, salt, 0o600);
  } catch {
    // No room: this daemon's own streams are told apart all the same.
  }
  return salt;
};
