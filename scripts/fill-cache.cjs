// Runs the CLI's bundle as its launcher does and keeps what V8 compiled: fill-cache.cjs CACHE ARGS...
const fs = require("node:fs");
const path = require("node:path");
const { Script } = require("node:vm");

const dist = path.resolve(__dirname, "../dist");
const filename = path.join(dist, "streambro-cli.cjs");
const [cache] = process.argv.splice(2, 1);
const script = new Script(fs.readFileSync(filename, "utf8"), { filename });
process.on("exit", () => fs.writeFileSync(cache, script.createCachedData()));
script.runInThisContext()(exports, require, module, filename, dist);
