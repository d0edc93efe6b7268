import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import t from "tap";
import type { Finished } from "../helpers/command.ts";
import { renderFilm } from "../helpers/film.ts";
import { type Company, type Person, startCompany, whyNoCompany } from "../helpers/people.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const KEY = "anna-has-this-key";
const skip = await whyNoCompany();

/** What any command of a user may say of radio, and what it may not. */
const COMMANDS: ReadonlyArray<readonly string[]> = [
  ["start", "radio"],
  ["stop", "radio"],
  ["restart", "radio"],
  ["set", "radio", "--no-loop"],
  ["rm", "radio"],
  ["show", "radio"],
  ["show", "radio", "--command"],
  ["logs", "radio"],
  ["logs", "radio", "-f"],
  ["history", "radio"],
  ["wait", "radio", "--for", "live"],
];
const LOOKS: ReadonlyArray<readonly string[]> = [
  ["ls"],
  ["status", "radio"],
  ["status", "--json"],
  ["events", "--json"],
  ["events", "radio"],
  ["history", "--json", "-n", "1000"],
  ["limits", "--json"],
  ["metrics"],
  ["metrics", "--json"],
  ["daemon", "status", "--json"],
  ["daemon", "config", "--json"],
  ["encoders", "--json"],
];

const said = ({ stdout, stderr }: Finished): string => `${stdout}${stderr}`;
const statesOf = async (company: Company, who: Person): Promise<Record<string, string>> => {
  const { stdout } = await company.as(who, "status", "--json");
  const { streams } = JSON.parse(stdout) as { streams: { name: string; state: string }[] };
  return Object.fromEntries(streams.map(({ name, state }) => [name, state]));
};

t.test("ordinary users, each as themselves", { timeout: 120_000, skip }, async (t) => {
  const server = await startRtmpServer();
  t.teardown(() => server.stop());
  const company = await startCompany("max_concurrent_streams_per_user: 1\n");
  t.teardown(() => company.end());
  const { daemon, as } = company;
  const film = path.join(company.dir, "annas-film.mp4");
  copyFileSync(await renderFilm({ size: "160x90", seconds: 6 }), film);
  const bobs = path.join(company.dir, "other.mp4");
  copyFileSync(film, bobs);
  for (const file of [film, bobs]) chmodSync(file, 0o644);

  const url = `${server.url}/${KEY}`;
  const added = await as("anna", "add", "radio", "--input", film, "--to", url, "--start");
  t.equal(added.code, 0, added.stderr);
  t.equal((await as("anna", "wait", "radio", "--for", "live", "--timeout", "30s")).code, 0);
  const own = ["--input", bobs, "--to", "rtmp://localhost:9/app/bobs-key"];
  t.equal((await as("bob", "add", "news", ...own)).code, 0);
  const secrets = [KEY, film, "annas-film", "127.0.0.1", String(server.ports.rtmp)];
  const isSilent = (finished: Finished, what: string): void => {
    for (const secret of secrets)
      t.notOk(said(finished).includes(secret), `${what} tells nothing of ${secret}`);
  };

  await t.test("what is seen of another's stream", async (t) => {
    for (const look of LOOKS) {
      const looked = await as("bob", ...look);
      t.ok([0, 3].includes(looked.code ?? -1), `${look.join(" ")}: ${looked.stderr}`);
      isSilent(looked, look.join(" "));
    }
    const { streams } = JSON.parse((await as("bob", "status", "--json")).stdout);
    t.match(
      streams.map(({ name, owner, mayControl }: Record<string, unknown>) => [
        name,
        owner,
        mayControl,
      ]),
      [
        ["news", "bob", true],
        ["radio", "anna", false],
      ],
    );
    t.match(streams[1], { state: "live", health: "delivering", input: "", outputs: [], pid: null });
    t.match(
      (await as("bob", "ls")).stdout,
      /^NAME +OWNER +STATE .*\nnews +bob .*\nradio +anna +live +delivering/,
    );
    const whole = await as("anna", "status", "radio", "--json");
    t.match(JSON.parse(whole.stdout).streams[0], { input: film, outputs: [{ bytes: Number }] });
    t.match(JSON.parse((await as("carla", "status", "radio", "--json")).stdout).streams[0], {
      ...{ input: film, mayControl: true, pid: Number },
    });
    for (const who of ["anna", "carla"] as const)
      t.notOk(said(await as(who, "show", "radio", "--command")).includes(KEY), "a key is nobody's");
    t.match(await as("dora", "ls"), {
      code: 77,
      stderr: /sudo usermod -aG streambro .*log in again/,
    });
  });

  await t.test("nothing can be done to it", async (t) => {
    for (const command of COMMANDS) {
      const refused = await as("bob", ...command);
      t.equal(refused.code, 77, `${command.join(" ")}: ${said(refused)}`);
      t.match(
        refused.stderr,
        /^radio: belongs to anna; only anna and members of streambro-admin may .*\.\n$/,
      );
      isSilent(refused, command.join(" "));
    }
    t.match(await as("bob", "stop", "--all", "--wait"), { code: 0 }, "--all is one's own");
    t.match(await as("bob", "status", "--all"), {
      code: 3,
      stdout: /^NAME +STATE .*\nnews [^\n]*\n$/,
    });
    const taken = await as("bob", "add", "radio", ...own);
    t.match(taken, {
      code: 78,
      stderr: /^radio: not added: the name is taken by a stream of anna\. Ch/m,
    });
    for (const args of [["stop"], ["reload"]])
      t.match(await as("bob", "daemon", ...args), { code: 77, stderr: /only root, .* may / });
    t.match(await as("bob", "encoders", "--refresh"), { code: 77 });
    t.match(await as("bob", "limits", "set", "--per-user", "9"), {
      ...{ code: 77, stderr: /^limits: not changed: only root, the daemon's own user and members/ },
    });
    t.match(await statesOf(company, "bob"), { radio: "live", news: "stopped" });
    t.equal(server.publishes(KEY).length, 1, "and nothing was done");
  });

  await t.test("no limit is exceeded in another's name", async (t) => {
    for (const owner of ["anna", "bob", "4101", "root"]) {
      const named = await as("bob", "add", "more", ...own, "--owner", owner);
      t.match(named, {
        code: 77,
        stderr: /^more: not added: --owner is for root, the daemon's own/m,
      });
      t.equal((await as("bob", "set", "news", "--owner", owner)).code, 77, owner);
    }
    t.match(await as("ghost", "add", "more", ...own), {
      ...{ code: 77, stderr: /^more: not added: uid 4105 is no user of this machine/m },
    });
    t.equal(
      (await as("bob", "add", "more", ...own.slice(0, 3), "rtmp://localhost:9/app/2")).code,
      0,
    );
    t.equal((await as("bob", "start", "news")).code, 0);
    const refused = await as("bob", "start", "more");
    t.match(refused, { code: 75, stderr: /reached for bob .*\n +Stop one of: news\.\n$/ });
    t.equal((await as("carla", "limits", "set", "--per-user", "5", "--global", "2")).code, 0);
    const full = await as("bob", "start", "more");
    t.match(
      full,
      { code: 75, stderr: /on this server .*\n +Stop one of: news\.\n$/ },
      "not anna's",
    );
    t.match(await as("carla", "start", "more"), {
      code: 75,
      stderr: /Stop one of: news, radio\.\n$/,
    });
    t.equal((await as("carla", "limits", "set", "--global", "default")).code, 0);
    t.equal((await as("bob", "stop", "news")).code, 0);
  });

  await t.test("whose key it is that another uses too, is not told", async (t) => {
    t.equal((await as("bob", "add", "copy", "--input", bobs, "--to", url)).code, 0);
    const refused = await as("bob", "start", "copy");
    t.match(refused, {
      code: 1,
      stderr: /another user's stream is sending to the same destination/,
    });
    t.notMatch(refused.stderr, /radio|anna/);
    t.match(await as("carla", "start", "copy"), {
      code: 1,
      stderr: /: radio is sending to the same/,
    });
    t.equal((await as("bob", "rm", "copy")).code, 0);
  });

  await t.test("what is told while it happens, and afterwards", async (t) => {
    const [setpriv = "", ...rest] = company.become("bob");
    const cli = path.join(company.dir, "bin/streambro");
    const listening = spawn(setpriv, [...rest, cli, "events", "-f", "--json"], {
      env: daemon.env,
      cwd: "/",
      stdio: ["ignore", "pipe", "ignore"],
    });
    t.teardown(() => listening.kill("SIGKILL"));
    let heard = "";
    listening.stdout.on("data", (chunk: Buffer) => (heard += chunk.toString()));
    await until("bob listens", () => heard.includes('"type":"status"'), 10_000);
    t.equal((await as("anna", "set", "radio", "--no-loop")).code, 0);
    t.equal((await as("anna", "set", "radio", "--loop")).code, 0);
    t.equal((await as("bob", "set", "news", "--no-loop")).code, 0);
    await until("bob hears of his own", () => heard.includes('"kind":"changed"'), 10_000);
    const told = heard.split("\n").filter((line) => line.includes('"type":"event"'));
    t.match(told, [/"stream":"news"/]);
    t.equal(told.length, 1, heard);
    t.equal((await as("bob", "rm", "news")).code, 0);
    t.match(await as("bob", "history", "news"), { code: 0, stdout: /added.*bob\n[^]*removed/ });
    t.match(await as("anna", "history", "news"), { code: 4 }, "not even when it is gone");
    t.match(await as("carla", "history", "news"), { code: 0, stdout: /removed/ });
    t.match(await as("anna", "history"), { code: 0, stdout: /radio .*changed/ });
    t.match(await as("bob", "history"), { code: 0, stdout: /\(daemon\) +started/ });
  });

  await t.test("an admin by group may do all that", async (t) => {
    t.match(await as("carla", "stop", "radio"), { code: 0 });
    const given = ["--input", bobs, "--to", "rtmp://localhost:9/app/3", "--owner", "anna"];
    t.equal((await as("carla", "add", "gift", ...given)).code, 0);
    t.equal((await as("anna", "show", "gift")).code, 0, "hers");
    t.equal((await as("carla", "show", "gift")).code, 0);
    t.match(await as("anna", "rm", "--all"), {
      code: 0,
      stderr: "gift: removed\nradio: removed\n",
    });
    t.match(await as("carla", "daemon", "reload"), { code: 0 });
  });

  await t.test("every change is in the log, and no refusal fills it", async (t) => {
    const audit = (): Record<string, unknown>[] =>
      daemon.events().filter(({ event }) => event === "audit");
    const of = (fields: object): Record<string, unknown>[] =>
      audit().filter((line) => Object.entries(fields).every(([name, is]) => line[name] === is));
    const anna = { uid: 4101, user: "anna" };
    t.match(of({ method: "stream.add", stream: "radio", outcome: "done" }), [
      { ...anna, code: null, changed: ["input", "to"], level: "info" },
    ]);
    t.match(of({ method: "stream.stop", stream: "radio" }), [
      { uid: 4102, user: "bob", outcome: "refused", code: "NOT_PERMITTED" },
      { uid: 4103, user: "carla", outcome: "done", code: null },
    ]);
    t.equal(of({ method: "limits.set", outcome: "done" }).length, 2);
    for (const line of audit()) t.notMatch(JSON.stringify(line), /annas-film|rtmp:|-key/);
    t.notMatch(daemon.log(), KEY);
    const flood = `const s = require("net").connect(${JSON.stringify(daemon.socket)});
      const ask = { jsonrpc: "2.0", id: 1, method: "daemon.stop", params: { keepStreams: false } };
      s.write((JSON.stringify(ask) + "\\n").repeat(600));
      let seen = ""; const codes = {};
      s.on("data", (chunk) => { seen += chunk; const lines = seen.split("\\n");
        if (lines.length < 601) return;
        for (const line of lines.slice(0, 600)) { const { data } = JSON.parse(line).error; codes[data.code] = 1 + (codes[data.code] ?? 0); }
        console.log(JSON.stringify(codes)); s.destroy(); });`;
    const before = audit().length;
    const flooded = await company.run("bob", process.execPath, ["-e", flood]);
    const codes = JSON.parse(flooded.stdout) as Record<string, number>;
    t.ok(
      (codes["NOT_PERMITTED"] ?? 0) > 400 && (codes["TOO_MANY_REQUESTS"] ?? 0) > 50,
      flooded.stdout,
    );
    t.ok(audit().length - before <= 10, `${audit().length - before} lines of 600 refusals`);
    t.equal((await as("anna", "ls")).code, 0);
  });

  await t.test("one user's connections leave room for others", async (t) => {
    const many = `const net = require("net"); let served = 0; const told = []; let ended = 0;
      const line = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "daemon.config", params: {} }) + "\\n";
      const done = () => { if (served + ended < 80) return;
        console.log(JSON.stringify({ served, told })); process.exit(); };
      for (let n = 0; n < 80; n += 1) { const s = net.connect(${JSON.stringify(daemon.socket)}, () => s.write(line));
        let text = ""; let isServed = false;
        s.on("data", (chunk) => { text += chunk; if (!isServed && text.startsWith('{"jsonrpc":"2.0","id":1')) { isServed = true; served += 1; done(); } });
        s.on("error", () => {});
        s.on("close", () => { ended += 1; if (text.includes("error")) told.push(JSON.parse(text).error.message); done(); }); }`;
    const found = await company.run("bob", process.execPath, ["-e", many]);
    const { served, told } = JSON.parse(found.stdout) as { served: number; told: string[] };
    t.equal(served, 64, found.stderr);
    t.match(told[0], /^you have 64 connections to the daemon already: end one of them\.$/);
    t.notOk(daemon.events().some(({ event }) => event === "internal"));
  });
});

t.test("others that are not to be known of", { timeout: 60_000, skip }, async (t) => {
  const company = await startCompany();
  t.teardown(() => company.end());
  const { daemon, as } = company;
  const film = path.join(company.dir, "annas-film.mp4");
  copyFileSync(await renderFilm({ size: "160x90", seconds: 6 }), film);
  chmodSync(film, 0o644);
  const to = ["--input", film, "--to", "rtmp://localhost:9/app"];
  t.equal((await as("anna", "add", "radio", ...to)).code, 0);
  t.match((await as("bob", "ls")).stdout, /radio/);
  const [, file = ""] = /config: *(\S+)/.exec(`config: ${daemon.env["STREAMBRO_CONFIG"]}`) ?? [];
  writeFileSync(file, "show_others_streams: false\nmax_registered_streams_per_user: 2\n");
  t.match(await as("carla", "daemon", "reload"), { code: 0 }, readFileSync(file, "utf8"));

  for (const [command = "", name = "", ...options] of [
    ...COMMANDS,
    ["status", "radio"],
    ["events", "radio"],
    ["status", "nothing", "radio"],
    ["history", "radio", "nothing"],
  ]) {
    const args = [...options, "--debug"];
    const [hidden, missing] = await Promise.all([
      as("bob", command, name, ...args),
      as(
        "bob",
        command,
        name.replace("radio", "ghost"),
        ...args.map((one) => one.replace("radio", "ghost")),
      ),
    ]);
    const words = said(missing).replaceAll("ghost", "radio");
    t.same(
      [hidden.code, said(hidden)],
      [missing.code, words],
      `${command} ${name} ${options.join(" ")}`,
    );
    t.equal(hidden.code, 4);
  }
  t.match(await as("bob", "ls"), {
    code: 0,
    stdout: "",
    stderr: "streambro: there are no streams. Add one: streambro add --help\n",
  });
  t.match(await as("bob", "metrics"), {
    code: 77,
    stderr: /only root, .* may read the metrics\.$/m,
  });
  t.match(await as("bob", "daemon", "status"), { code: 0, stdout: /^streams: +none$/m });
  t.match(await as("bob", "add", "radio", ...to), {
    ...{ code: 78, stderr: "radio: not added: the name is taken. Choose another name.\n" },
  });
  const limits = JSON.parse((await as("bob", "limits", "--json")).stdout);
  t.same([limits.users, limits.active.users, limits.waiting], [{}, {}, []]);
  // As where the specification was damaged, and set aside.
  const log = path.join(daemon.stateDir, "logs/one.log");
  writeFileSync(log, "what FFmpeg said of a stream of anna's\n");
  for (const name of ["one", "two"]) t.equal((await as("bob", "add", name, ...to)).code, 0);
  t.match(
    await as("bob", "logs", "one"),
    { code: 0, stdout: "" },
    "an earlier stream's is not its",
  );
  t.match(await as("bob", "add", "three", ...to), {
    ...{
      code: 75,
      stderr: /^three: not added: bob has 2 of 2 .*\n +Remove one .*: streambro rm NAME\n$/,
    },
  });
  t.match(await as("carla", "add", "three", ...to, "--owner", "bob"), { code: 0 }, "an admin may");
  t.match(await as("carla", "ls"), {
    code: 0,
    stdout: /NAME +OWNER [^]*radio +anna [^]*three +bob/,
  });
  t.match(await as("anna", "ls"), { code: 0, stdout: /^NAME +STATE [^]*radio +stopped/ });
});
