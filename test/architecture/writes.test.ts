import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import t from "tap";

const daemon = path.resolve(import.meta.dirname, "../../daemon");

/** What changes a file system; `open` only where it may. */
const CHANGES =
  /\b(writeFile|appendFile|rename|rm|rmdir|unlink|mkdir|mkdtemp|symlink|link|truncate|ftruncate|write|chmod|copyFile|createWriteStream|cp)(Sync)?\b/;

/** Who does so, and why nothing of it needs to survive a loss of power. */
const MAY: Readonly<Record<string, string>> = {
  "store/atomic-file.ts": "the one place for what must survive",
  "store/layout.ts": "directories below the runtime directory, and modes",
  "store/file-lock.ts": "locks say who holds them, for as long as that lives",
  "store/runs-claim.ts": "the runtime directory",
  "store/store.ts": "a log, a lock and a run that come back belong to no stream",
  "store/remains.ts": "removals; the directory is synced after them",
  "store/secrets.ts": "removals; the directory is synced after them",
  "logs/log-file.ts": "FFmpeg's logs",
  "cleanup/old-logs.ts": "FFmpeg's logs",
  "cleanup/remove-tree.ts": "run directories",
  "runner/run-directory.ts": "run directories: a process of theirs does not survive either",
  "runner/progress-file.ts": "run directories",
  "reach/open-for.ts": "a line on its standard error",
  "rpc/listen.ts": "the socket",
  "history/open-archive.ts": "SQLite writes the history; one that it cannot read is set aside",
};

t.test("who changes files, and that only one place does so for good", async (t) => {
  const sources = readdirSync(daemon, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".ts"),
  );
  const changing = sources.filter((file) => {
    const text = readFileSync(path.join(daemon, file), "utf8");
    const imports = text.matchAll(/import \{([^}]*)\} from "node:fs(?:\/promises)?"/g);
    return [...imports].some(([, names = ""]) => CHANGES.test(names));
  });
  t.same(changing.sort(), Object.keys(MAY).sort());
  const whole = sources.filter((file) =>
    /import \* as|import \w+ from "node:fs/.test(readFileSync(path.join(daemon, file), "utf8")),
  );
  t.same(whole, [], "node:fs is imported by name");
});
