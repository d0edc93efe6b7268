import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * A secret of this state directory, made once: digests with it mean nothing anywhere else. 32 random
 * bytes and no version: another kind of salt would be another file.
 */
export const saltOf = (stateDirectory: string): Buffer => {
  const file = path.join(stateDirectory, "salt");
  try {
    const salt = readFileSync(file);
    if (salt.length === 32) return salt;
  } catch (error) {
    // One that cannot be read just now stays: this daemon's own streams are told apart by another.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return randomBytes(32);
  }
  const salt = randomBytes(32);
  try {
    writeFileSync(file, salt, { mode: 0o600 });
  } catch {
    // No room: this daemon's own streams are told apart all the same.
  }
  return salt;
};
