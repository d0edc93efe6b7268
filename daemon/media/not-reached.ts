import { printable } from "../../shared/stream-name.ts";
import type { Input } from "../reach/input.ts";

const MOST = 400;

/**
 * Why an input is not opened for its owner, and how to mend it. Of what lies behind a directory that is
 * closed to the owner nothing is told, nor whether it is there.
 */
export const notReached = (
  { path, opening }: Input,
  owner: string,
  why: "forbidden" | "closed" | "unjudged",
  at: string,
): string => {
  const [file, who] = [printable(path, MOST), printable(owner)];
  const isDirectory = at.endsWith("/");
  const place = isDirectory && at !== "/" ? at.slice(0, -1) : at;
  switch (why) {
    case "forbidden": {
      const where =
        place === "" || place === path ? "" : `: ${printable(place, MOST)} is closed to that user`;
      return `${who} may not read ${file}${where}. A stream plays what its owner may read: change the file's permissions, or name another one.`;
    }
    case "closed": {
      const daemon = opening.as === "descriptor" ? opening.daemon : "root";
      const grant = `setfacl -m u:${daemon}:${isDirectory ? "x" : "r"} ${quoted(printable(place, MOST))}`;
      return `${file} may not be read by ${daemon}, the user that streambrod runs as. To let it: ${grant}`;
    }
    case "unjudged":
      return `whether ${who} may read ${file} cannot be found out: its access list cannot be read. Move it to another file system, or see that koffi is installed.`;
  }
};

const quoted = (name: string): string =>
  /^[\w./:@%+,-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`;
