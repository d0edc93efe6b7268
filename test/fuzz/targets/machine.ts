import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { loadSettings } from "../../../daemon/config/load.ts";
import { parseDestination, shownUrl } from "../../../daemon/destination/destination.ts";
import { parseSockets } from "../../../daemon/health/sockets.ts";
import { parseStat } from "../../../daemon/runner/identity.ts";
import { readExit, readPids } from "../../../daemon/runner/run-record.ts";
import { find } from "../../../daemon/users/look-up.ts";
import { isStreamName, printable, streamNameRule } from "../../../shared/stream-name.ts";
import type { Target } from "../engine.ts";
import { SECRET, hold, isClean, isFinite, isKept, isNumber, isShort } from "../properties.ts";

const SOCKETS = [
  'ESTAB 0      85214  10.1.0.2:40220 [2001:db8::1]:1935 users:(("ffmpeg",pid=7,fd=4)) bbr wscale:7,7 rto:204 rtt:3.4/1.2 mss:1448 cwnd:10 bytes_sent:99 bytes_acked:98 segs_out:5 data_segs_out:4 retrans:0/2 snd_wnd:65536\n',
  'ESTAB 0 0 127.0.0.1:5 127.0.0.1:6 users:(("a b(",pid=70,fd=4),("x",pid=71,fd=9)) cubic bytes_acked:1\n',
];

const sockets: Target = {
  name: "sockets",
  samples: [...SOCKETS, SOCKETS.join("")],
  words: ["pid=1,fd=", "users:((", "rtt:1", "1.1.", ":1", " ", "wscale:7,", "bytes_acked:9", "\n"],
  mostBytes: 262_144,
  check: (bytes) => {
    for (const [pid, connection] of parseSockets(bytes.toString("utf8"))) {
      hold(Number.isSafeInteger(pid) && pid >= 0, `the pid ${pid}`);
      isFinite(connection, "connection");
      for (const [key, value] of Object.entries(connection))
        if (typeof value === "number") isNumber(value, key, 0);
    }
  },
  work: (bytes) => parseSockets(bytes.toString("utf8")),
};

const stat: Target = {
  name: "stat",
  samples: [
    "7 (ffmpeg) S 1 7 7 0 -1 4194304 100 0 0 0 5 6 0 0 20 0 9 0 123456 1000 200 18446744073709551615\n",
    "7 (a) b) (c) R 1 7 7 0 -1 0 0 0 0 0 5 6 0 0 20 0 9 0 5 0 0\n",
  ],
  words: [")", " ", "1 "],
  mostBytes: 4_096,
  check: (bytes) => {
    const found = parseStat(bytes.toString("utf8"));
    if (found === null) return;
    const { state, parent, group, startTime } = found;
    hold(state !== "", "a state");
    for (const value of [parent, group, startTime])
      hold(Number.isSafeInteger(value), `a number is ${value}`);
  },
  work: (bytes) => parseStat(bytes.toString("utf8")),
};

const users: Target = {
  name: "users",
  samples: [
    "root:x:0:0:root:/root:/bin/bash\nanna:x:1000:1000:,,,:/home/anna:/bin/sh\n",
    "constructor:x:12:1::/:/\n",
  ],
  words: [":", "root", "\n"],
  mostBytes: 65_536,
  check: (bytes) => {
    const text = bytes.toString("utf8");
    for (const key of ["root", "0", "anna", "1000", "constructor", "__proto__", "12"]) {
      const user = find(text, key);
      if (user === null) continue;
      hold(
        Number.isSafeInteger(user.uid) && user.uid >= 0 && user.uid < 2 ** 32,
        `the uid ${user.uid}`,
      );
      hold(user.name === key || String(user.uid) === String(Number(key)), "another user");
      hold(!/[:\n\p{Cc}]/u.test(user.name), "the name");
    }
  },
  work: (bytes) => find(bytes.toString("utf8"), "nobody-there"),
};

/** What is written as `\uD800` is meant so: no bytes make half a character. */
const unescaped = (bytes: Buffer): string =>
  bytes
    .toString("utf8")
    .replaceAll(/\\u([0-9a-f]{4})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );

const destinations: Target = {
  name: "destinations",
  samples: [
    `rtmp://live.example.com/app/${SECRET}`,
    `rtmps://live.example.com:443/app/two/${SECRET}?token=${SECRET}&a=b`,
    `srt://[2001:db8::1]:9000?streamid=${SECRET}&latency=200000&passphrase=${SECRET}`,
    `rtmp://user:${SECRET}@host/app`,
    "rtmp://10.0.0.1:1935/live",
  ],
  words: ["/", "//", ":", "a-", ".", "?", "&", "latency=1&", "%41", "[", "::"],
  mostBytes: 8_192,
  check: (bytes) => {
    const to = unescaped(bytes);
    for (const key of [undefined, SECRET, to.slice(0, 900)]) {
      const parsed = parseDestination(to, key);
      if (!parsed.ok) {
        isClean(parsed.message, "the refusal");
        isKept(parsed.message, "the refusal");
        continue;
      }
      const { url, secrets } = parsed.destination;
      isClean(url, "the URL");
      hold(
        /^(?:rtmps?|srt):\/\/[^@]*$/.test(url.replace(/(?<=^\w+:\/\/[^/]*\/).*/, "")),
        `the URL ${url}`,
      );
      hold(
        Object.values(secrets).every((value) => !/\p{Cc}/u.test(value)),
        "a secret that breaks its line",
      );
      isClean(shownUrl(url, true), "the shown URL");
      // A key of its own may be what the URL is too.
      if (key === SECRET) hold(Object.values(secrets).includes(SECRET), "the key is kept");
    }
  },
  work: (bytes) => parseDestination(bytes.toString("utf8"), undefined),
};

const names: Target = {
  name: "names",
  samples: ["radio", "a.b_c-d", "constructor", "x".repeat(63)],
  words: ["a", ".", "-"],
  mostBytes: 65_536,
  check: (bytes) => {
    const text = unescaped(bytes);
    if (isStreamName(text)) {
      hold(/^[a-z0-9][a-z0-9._-]*$/.test(text) && text.length < 64 && !text.includes("/"), text);
      return;
    }
    isClean(printable(text), "what is printed");
    isClean(streamNameRule(text), "the rule");
    isShort(streamNameRule(text), 400, "the rule");
  },
  work: (bytes) => streamNameRule(bytes.toString("utf8")),
};

/** A file that the machine is short of: made, looked at, removed. */
const inFolder = (name: string, bytes: Buffer, look: (folder: string) => void): void => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "streambro-fuzz-"));
  try {
    writeFileSync(path.join(folder, name), bytes);
    look(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const settingsOf = (folder: string): ReturnType<typeof loadSettings> =>
  loadSettings({
    flags: new Map(),
    env: {},
    file: path.join(folder, "conf.yaml"),
    mustExist: true,
  });

const settings: Target = {
  name: "settings",
  samples: [
    "# how often\nretry_max_ms: 10000\nlog_level: debug\nlimiter_enabled: true\n",
    "retry_first_ms: &a 500\nretry_max_ms: *a\n",
    "{retry_max_ms: 1, log_level: info}\n",
    "metrics_port: 9000\nmax_streams_global: 0x10\nffmpeg_path: '/usr/bin/ffmpeg'\n",
    "x".repeat(70_000),
    "a: &a [x, x]\nb: &b [*a, *a]\nretry_max_ms: *b\n",
  ],
  words: [
    "a: 1\n",
    "[",
    "{",
    "*a ",
    "&a ",
    "? ",
    "- ",
    "  ",
    "retry_max_ms: ",
    "'",
    "|\n",
    "#",
    "!!int ",
  ],
  mostBytes: 65_536,
  timedBytes: 16_384,
  cost: 10,
  check: (bytes) =>
    inFolder("conf.yaml", bytes, (folder) => {
      const loaded = settingsOf(folder);
      if (loaded.ok) return isFinite(loaded.settings, "settings");
      hold(
        loaded.errors.length > 0 && loaded.errors.length <= 51,
        `${loaded.errors.length} errors`,
      );
      for (const error of loaded.errors) {
        isClean(error, "an error");
        isShort(error, 5_000, "an error");
      }
    }),
  work: (bytes) => inFolder("conf.yaml", bytes, settingsOf),
};

const runs: Target = {
  name: "runs",
  samples: ["1234 5678 1235 5679\n", "137\n", "0  \n", "?  \n"],
  mostBytes: 1_024,
  cost: 3,
  check: (bytes) => {
    inFolder("pids", bytes, (folder) => {
      const found = readPids(folder);
      if (found === null) return;
      for (const { pid, startTime } of [
        found.ffmpeg,
        ...(found.runner === null ? [] : [found.runner]),
      ]) {
        hold(Number.isSafeInteger(pid) && pid > 1, `the pid ${pid}`);
        hold(Number.isSafeInteger(startTime) && startTime >= 0, `the start ${startTime}`);
      }
      mkdirSync(path.join(folder, "exit"));
      hold(readExit(folder) === null, "a directory is no exit");
    });
    inFolder("exit", bytes, (folder) => {
      const exit = readExit(folder);
      hold(
        exit === null || exit.code === null || (exit.code >= 0 && exit.code < 256),
        "the exit status",
      );
    });
  },
};

/** What the kernel, the system's own files, an operator and the runner say. */
export const MACHINE: readonly Target[] = [
  sockets,
  stat,
  users,
  destinations,
  names,
  settings,
  runs,
];
