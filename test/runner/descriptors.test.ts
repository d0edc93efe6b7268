import path from "node:path";
import t from "tap";
import { command } from "../helpers/command.ts";
import { plainEnvironment } from "../helpers/environment.ts";

const root = path.resolve(import.meta.dirname, "../..");

/** Starts programs with so few descriptors left, and counts what is open before and afterwards. */
const SHORT_OF_DESCRIPTORS = `
  const { closeSync, openSync, readdirSync } = await import("node:fs");
  const { runBounded } = await import(process.argv[1] + "/daemon/media/bounded.ts");
  const { readSockets } = await import(process.argv[1] + "/daemon/health/sockets.ts");
  const { measurer } = await import(process.argv[1] + "/daemon/health/measure.ts");
  const measure = measurer();
  const bounds = { withinMs: 5000, mostBytes: 1000 };
  const work = async () => {
    const { exitCode } = await runBounded("/dev/null", ["true"], bounds);
    await readSockets();
    // Of a process that has ended: what is open of it is looked for.
    await measure([process.pid, 4194303], 60000);
    return exitCode;
  };
  const count = () => readdirSync("/proc/self/fd").length;
  const seen = [await work()];
  const before = count();
  for (let left = 0; left < 12; left += 1) {
    const held = [];
    try {
      for (;;) held.push(openSync("/dev/null"));
    } catch {}
    for (const fd of held.splice(0, left)) closeSync(fd);
    await work();
    for (const fd of held) closeSync(fd);
  }
  seen.push(await work(), count() - before);
  process.stdout.write(seen.join(" "));
`;

t.test("whoever is short of descriptors loses none, and does not end", async (t) => {
  const argv = ["--input-type=module", "-e", SHORT_OF_DESCRIPTORS, root];
  const run = await command("prlimit", ["--nofile=96", process.execPath, ...argv], {
    env: plainEnvironment(),
  });
  const [first, last, more = "none"] = run.stdout.split(" ");
  t.equal(run.code, 0, run.stderr.slice(-2_000));
  t.equal(first, "0");
  t.equal(last, "0", "afterwards all is as before");
  t.ok(Math.abs(Number(more)) <= 1, `descriptors more than before: ${more}`);
});
