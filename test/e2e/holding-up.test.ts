import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import { renderFilm } from "../helpers/film.ts";
import { startCompany, whyNoCompany } from "../helpers/people.ts";
import { until } from "../helpers/until.ts";

const skip = await whyNoCompany();

t.test("nobody holds up the daemon for others", { timeout: 120_000, skip }, async (t) => {
  const company = await startCompany();
  t.teardown(() => company.end());
  const { daemon, as } = company;
  const film = path.join(company.dir, "film.mp4");
  copyFileSync(await renderFilm({ size: "160x90", seconds: 6 }), film);
  chmodSync(film, 0o644);
  const at = JSON.stringify(daemon.socket);
  const program = (text: string): string => {
    const file = path.join(company.dir, "program.cjs");
    writeFileSync(file, text);
    chmodSync(file, 0o644);
    return file;
  };

  await t.test("by a name, again and again", async (t) => {
    const to = ["--input", film, "--to", "rtmp://localhost:9/app"];
    t.equal((await as("bob", "add", "news", ...to)).code, 0);
    t.equal((await as("bob", "rm", "news")).code, 0);
    const names = Array.from({ length: 10_000 }, () => "news");
    const one = { jsonrpc: "2.0", method: "history.list", params: { names, limit: 1 } };
    const batch = JSON.stringify(Array.from({ length: 5 }, (_, id) => ({ ...one, id })));
    const file =
      program(`const s = require("net").connect(${at}, () => s.write(${JSON.stringify(batch)} + "\\n"));
      let text = "";
      s.on("data", (chunk) => { text += chunk; if (text.endsWith("\\n")) { console.log(text); s.destroy(); } });`);
    const asked = company.run("bob", process.execPath, [file]);
    t.match(await as("anna", "ls"), { code: 0 });
    const answers = JSON.parse((await asked).stdout) as { result: { entries: object[] } }[];
    t.same(
      answers.map(({ result }) => result.entries.length),
      [1, 1, 1, 1, 1],
    );
  });

  await t.test("one's own past stays one's own, whosever the name is by now", async (t) => {
    const to = ["--input", film, "--to", "rtmp://localhost:9/annas"];
    t.equal((await as("anna", "add", "news", ...to)).code, 0);
    const past = await as("bob", "history", "news");
    t.match(past, { code: 0, stdout: /added.*bob\n[^]*removed/ });
    t.notMatch(past.stdout, /annas|by anna/);
    t.notMatch((await as("anna", "history", "news")).stdout, /bob/);
  });

  await t.test("by asking for more than it can answer", async (t) => {
    for (const method of ["rpc.discover", "no.such.method", "daemon.metrics"]) {
      const one = { jsonrpc: "2.0", method };
      const batch = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ ...one, id })));
      const file = program(`for (let n = 0; n < 60; n += 1) {
        const s = require("net").connect(${at});
        const pour = () => { while (s.write(${JSON.stringify(batch)} + "\\n")); };
        s.on("connect", pour);
        s.on("drain", pour);
        s.on("error", () => {});
        s.on("data", () => { if (n === 0) console.log("answered"); });
      }`);
      const [setpriv = "", ...rest] = company.become("bob");
      const flood = spawn(setpriv, [...rest, process.execPath, file], {
        env: daemon.env,
        cwd: "/",
        stdio: ["ignore", "pipe", "ignore"],
      });
      t.teardown(() => flood.kill("SIGKILL"));
      let heard = "";
      flood.stdout.on("data", (chunk: Buffer) => (heard += chunk.toString()));
      await until("it is answered too", () => heard.includes("answered"), 20_000);
      t.match(await as("anna", "ls"), { code: 0 }, method);
      t.match(await as("anna", "daemon", "status"), { code: 0 }, method);
      flood.kill("SIGKILL");
      const own = await as("bob", "ls");
      if (method !== "daemon.metrics") t.equal(own.code, 0, "what was not taken counts no more");
      else t.match(own, { code: 75, stderr: /2000 things in a short time/ });
    }
  });
});
