import { writeSync } from "node:fs";
import { DESCRIPTOR } from "./input.ts";
import { type Refusal, lineOf, statusOf } from "./refusal.ts";
import { type Native, loadNative } from "./native.ts";
import { walk } from "./walk.ts";

/**
 * A program of its own: streambro-reach UID GROUPS FILE COMMAND... It opens FILE if the user with this
 * number and these groups may read it, and becomes COMMAND with FILE open as descriptor 6; else it says
 * why not. It runs as the daemon's user, and lends none of that user's rights.
 */
const main = ([uid = "", groups = "", file = "", ...command]: readonly string[]): number => {
  let native: Native;
  try {
    native = loadNative();
  } catch {
    return refused({ is: "unjudged", at: "/" });
  }
  const numbers = groups.split(",").filter((group) => group !== "");
  const who = { uid: Number(uid), groups: new Set(numbers.map(Number)) };
  const walked = walk(file, who, native.accessListOf);
  if (!walked.ok) return refused(walked);
  return native.become(command, walked.fd, DESCRIPTOR);
};

const refused = (why: Refusal): number => {
  writeSync(2, lineOf(why));
  return statusOf(why.is);
};

process.exit(main(process.argv.slice(2)));
