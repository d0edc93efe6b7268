// Runs the CLI's bundle as its launcher does and keeps what V8 compiled: fill-cache.cjs CACHE DIST ARGS...
const fs = require("node:fs");
const path = require("node:path");
const v8 = require("node:v8");
const { Script } = require("node:vm");

const [cache, dist] = process.argv.splice(2, 2);
const filename = path.join(dist, "streambro-cli.cjs");
// What it is called is in the cache; where it lies must not be.
const script = new Script(fs.readFileSync(filename, "utf8"), { filename: "streambro-cli.cjs" });
// Which functions the baseline compiler takes on depends on how busy the machine is, and a cache says
// which. Who reads it compares the flags, so they are as usual again when it is written.
v8.setFlagsFromString("--no-sparkplug");
process.on("exit", () => {
  v8.setFlagsFromString("--sparkplug");
  fs.writeFileSync(cache, script.createCachedData());
});
script.runInThisContext()(exports, require, module, filename, dist);
