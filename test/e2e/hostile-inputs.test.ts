import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import t from "tap";
import { command, output } from "../helpers/command.ts";
import { startDaemon } from "../helpers/daemon.ts";
import { renderFilm } from "../helpers/film.ts";
import { scripts, withExternalMedia } from "../helpers/hostile.ts";
import { startRtmpServer } from "../helpers/rtmp-server.ts";
import { until } from "../helpers/until.ts";

const scratch = mkdtempSync(path.join(tmpdir(), "sb-hostile-"));
t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
const at = (name: string): string => path.join(scratch, name);
const traces = at("traces");

const canTrace = async (): Promise<boolean> =>
  (
    await command("strace", ["-D", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "true"]).catch(
      () => ({ code: 1 }),
    )
  ).code === 0;

/** FFmpeg's programs, with all that they open or call on record. */
const traced = (): Record<string, string> => {
  mkdirSync(traces);
  const folder = at("bin");
  mkdirSync(folder);
  for (const program of ["ffmpeg", "ffprobe"]) {
    const file = path.join(folder, program);
    const calls = "trace=open,openat,openat2,connect,execve";
    writeFileSync(
      file,
      `#!/bin/sh\nexec strace -D -f --seccomp-bpf -qq -s 4096 -e ${calls} -o "${traces}/$$" ${program} "$@"\n`,
    );
    chmodSync(file, 0o755);
  }
  return { FFMPEG_PATH: path.join(folder, "ffmpeg"), FFPROBE_PATH: path.join(folder, "ffprobe") };
};

/** What was opened below these folders. */
const openedIn = (...folders: readonly string[]): string[] =>
  readdirSync(traces)
    .flatMap((name) => readFileSync(path.join(traces, name), "utf8").split("\n"))
    .filter((line) => !line.includes("execve("))
    .flatMap((line) => /"((?:[^"\\]|\\.)*)"/.exec(line)?.[1] ?? [])
    .filter((name) => folders.some((folder) => name.startsWith(folder)));

t.test(
  "whatever a file holds or is called, nothing else is opened",
  { timeout: 120_000 },
  async (t) => {
    const isTraced = await canTrace();
    if (!isTraced) t.comment("not traced: strace does not run here");
    let calls = 0;
    const listener = createServer((socket) => {
      calls += 1;
      socket.destroy();
    }).listen(0, "127.0.0.1");
    t.teardown(() => listener.close());
    await new Promise((resolve) => listener.once("listening", resolve));
    const host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
    const server = await startRtmpServer();
    t.teardown(() => server.stop());
    const env: Record<string, string> = isTraced ? traced() : {};
    const daemon = await startDaemon({
      env: {
        ...env,
        MAX_CONCURRENT_STARTS: "4",
        INPUT_RETRY_MS: "300",
        HARDWARE_ENCODING_ENABLED: "false",
      },
    });
    t.teardown(() => daemon.end());
    const film = await renderFilm({ seconds: 2, size: "160x90" });
    const secret = at("secret.mp4");
    copyFileSync(film, secret);
    let count = 0;
    const add = async (input: string): Promise<{ code: number | null; stderr: string }> => {
      const to = ["--to", "rtmp://127.0.0.1:9/app"];
      return daemon.cli("add", `s${(count += 1)}`, "--input", input, ...to);
    };

    const texts = scripts(secret, host);
    for (const [name, text] of Object.entries(texts)) writeFileSync(at(name), text);
    await Promise.all(
      Object.keys(texts).map(async (name) => {
        const done = await add(at(name));
        t.equal(done.code, 1, `${name}: ${done.stderr}`);
        t.match(done.stderr, /is not a film|is damaged|is incomplete/, name);
      }),
    );

    await output("mkfifo", [at("pipe.mp4")]);
    symlinkSync("/dev/zero", at("zero.mp4"));
    symlinkSync("/proc/self/environ", at("environ.mp4"));
    symlinkSync("pipe.mp4", at("to-pipe.mp4"));
    symlinkSync(scratch, at("folder.mp4"));
    for (const name of ["sparse.mp4", "sparse.ts"]) {
      writeFileSync(at(name), "");
      truncateSync(at(name), 10 * 2 ** 40);
    }
    const odd = ["pipe", "zero", "environ", "to-pipe", "folder", "sparse"].map(
      (name) => `${name}.mp4`,
    );
    const places = [...odd, "sparse.ts"].map(at);
    const kernels = ["/dev/stdin", "/dev/fd/0", "/proc/1/fd/0", `/proc/${process.pid}/environ`];
    await Promise.all(
      [...places, ...kernels].map(async (input) => {
        const done = await add(input);
        t.equal(done.code, 1, `${input}: ${done.stderr}`);
      }),
    );

    // Films all of them, by names that mean something else to FFmpeg.
    const names = [
      `concat:${path.basename(secret)}|secret.mp4`,
      "subfile,,start,0,end,0,,:secret.mp4",
      "data:text,plain.mp4",
      "file:secret.mp4",
      "pipe:0",
      "-i",
      "-f lavfi",
      "image%03d.mp4",
      "*.mp4",
      "a\nfile secret.mp4",
      `it's "quoted" \\ .mp4`,
      "cache:async:x.mp4",
      `http:`,
    ];
    for (const name of names.slice(0, -1)) copyFileSync(film, at(name));
    mkdirSync(path.join(at("http:"), host), { recursive: true });
    copyFileSync(film, path.join(at("http:"), host, "x.mp4"));
    linkSync(film.startsWith(scratch) ? film : secret, at("hard-link.mp4"));
    withExternalMedia(film, at("elsewhere.mov"), secret);
    const attached = ["-attach", film, "-metadata:s:t", "mimetype=application/x-truetype-font"];
    await output("ffmpeg", ["-v", "error", "-i", film, "-c", "copy", ...attached, at("fonts.mkv")]);
    const good = [...names.slice(0, -1), "hard-link.mp4", "fonts.mkv", `http:/${host}/x.mp4`];
    await Promise.all(
      good.map(async (name) => {
        const done = await add(at(name));
        t.equal(done.code, 0, `${JSON.stringify(name)}: ${done.stderr}`);
      }),
    );
    await add(at("elsewhere.mov"));

    // A film that becomes a list while it plays, in place, so that no look can tell in time.
    const turncoat = at("turncoat.mp4");
    copyFileSync(film, turncoat);
    const to = ["--to", `${server.url}/turncoat`];
    t.equal((await daemon.cli("add", "turncoat", "--input", turncoat, ...to, "--start")).code, 0);
    await daemon.cli("wait", "turncoat", "--for", "live", "--timeout", "20s");
    symlinkSync(secret, path.join(daemon.runtimeDir, "runs/turncoat/secret.mp4"));
    writeFileSync(turncoat, "ffconcat version 1.0\nfile secret.mp4\n");
    await until(
      "it is off the air",
      async () => {
        const { streams } = await daemon.rpc("stream.status", { names: ["turncoat"] });
        const [status] = streams;
        return status?.state === "backoff" && status.lastError?.code === "input-corrupt";
      },
      30_000,
    );
    t.equal(calls, 0, "nobody was called");
    if (!isTraced) return;
    const opened = openedIn(scratch, daemon.dir);
    t.ok(opened.includes(at("hls-file.mp4")), "the trace sees what is opened");
    const lists = opened.filter((name) => name.endsWith("/cycle.ffconcat"));
    t.ok(lists.length > 0, "by FFmpeg too");
    const foreign = opened.filter((name) => name.endsWith("/secret.mp4"));
    t.same(foreign, [], "nothing that they name was opened");
  },
);
