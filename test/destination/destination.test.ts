import t from "tap";
import { parseDestination, shownUrl } from "../../daemon/destination/destination.ts";
import { MAX_SECRET_BYTES } from "../../daemon/destination/parted.ts";
import { presetText } from "../../daemon/ffmpeg/argv.ts";

const parse = (
  to: string,
  key?: string,
): { url: string; secrets: Readonly<Record<string, string>> } | string => {
  const parsed = parseDestination(to, key);
  return parsed.ok ? parsed.destination : parsed.message;
};

const KEY = "k3y-9f2c";
const path = (rtmp_playpath: string): object => ({ rtmp_playpath });
const both = (rtmp_app: string, rtmp_playpath: string): object => ({ rtmp_app, rtmp_playpath });

t.test("what goes into argv and what stays secret", async (t) => {
  const rows: readonly [string, string | undefined, string, object][] = [
    ["rtmp://h/app", undefined, "rtmp://h/app", {}],
    ["rtmp://h/app/", undefined, "rtmp://h/app", {}],
    ["rtmp://h/app", KEY, "rtmp://h/app", path(KEY)],
    [`rtmp://h/app/${KEY}`, undefined, "rtmp://h/app", path(KEY)],
    [`rtmp://h//app/${KEY}//`, undefined, "rtmp://h/app", path(KEY)],
    [`rtmps://h:443/rtmp/${KEY}`, undefined, "rtmps://h:443/rtmp", path(KEY)],
    [`RTMP://Host/App/${KEY}`, undefined, "rtmp://Host/App", path(KEY)],
    [`rtmp://h/a/b/${KEY}`, undefined, "rtmp://h/a/b", both("a/b", KEY)],
    [`rtmp://h/a/b/x/${KEY}`, undefined, "rtmp://h/a/b", both("a/b", `x/${KEY}`)],
    ["rtmp://h/a/b", KEY, "rtmp://h/a/b", both("a/b", KEY)],
    ["rtmp://h/a/b/c/d", KEY, "rtmp://h/a/b/c/d", both("a/b/c/d", KEY)],
    [
      `rtmp://h/app/${KEY}?token=t/o?k&e=n`,
      undefined,
      "rtmp://h/app",
      path(`${KEY}?token=t/o?k&e=n`),
    ],
    [`rtmp://h/app?token=${KEY}`, "key", "rtmp://h/app", both(`app?token=${KEY}`, "key")],
    [`rtmp://h/a/b?token=${KEY}`, "key", "rtmp://h/a/b", both(`a/b?token=${KEY}`, "key")],
    ["rtmp://h/app", "a=b:c#d e%20'\"\\", "rtmp://h/app", path("a=b:c#d e%20'\"\\")],
    ["rtmp://h/app", "schlüssel-ключ", "rtmp://h/app", path("schlüssel-ключ")],
    ["rtmp://[::1]/app", KEY, "rtmp://[::1]/app", path(KEY)],
    [`rtmp://[2001:db8::1]:1936/app/${KEY}`, undefined, "rtmp://[2001:db8::1]:1936/app", path(KEY)],
    ["rtmp://192.0.2.1:1/app", undefined, "rtmp://192.0.2.1:1/app", {}],
    ["rtmp://a-b.c_d.example:65535/app", undefined, "rtmp://a-b.c_d.example:65535/app", {}],
    [`rtmp://h/app/x@y:${KEY}`, undefined, "rtmp://h/app", path(`x@y:${KEY}`)],
    [
      "rtmp://h/app",
      "k".repeat(MAX_SECRET_BYTES),
      "rtmp://h/app",
      path("k".repeat(MAX_SECRET_BYTES)),
    ],
    ["srt://h:9000", undefined, "srt://h:9000", {}],
    ["srt://h:9000/", undefined, "srt://h:9000", {}],
    ["srt://h:9000", "0123456789", "srt://h:9000", { passphrase: "0123456789" }],
    [
      "srt://h:9000?streamid=publish/radio",
      undefined,
      "srt://h:9000",
      { streamid: "publish/radio" },
    ],
    [
      "srt://h:9000?streamid=%23!::r=radio,m=publish",
      undefined,
      "srt://h:9000",
      { streamid: "#!::r=radio,m=publish" },
    ],
    [
      "srt://h:9000?passphrase=abcdefghij&latency=200000&streamid=x&mode=caller",
      undefined,
      "srt://h:9000?latency=200000&mode=caller",
      { passphrase: "abcdefghij", streamid: "x" },
    ],
    [
      "srt://h:9000?passphrase=abcdefghij",
      "9876543210",
      "srt://h:9000",
      { passphrase: "9876543210" },
    ],
    ["srt://[::1]:9000?pkt_size=1316", undefined, "srt://[::1]:9000?pkt_size=1316", {}],
  ];
  for (const [to, key, url, secrets] of rows) {
    const what = `${to} ${key ?? ""}`.slice(0, 70);
    t.same(parse(to, key), { url, secrets }, what);
    const parsed = parseDestination(to, key);
    if (!parsed.ok) continue;
    const shown = shownUrl(parsed.destination.url, Object.keys(secrets).length > 0);
    for (const secret of [KEY, key])
      if (secret !== undefined && shown.includes(secret)) t.fail(`${what}: shown`);
    t.equal(shown.endsWith("****"), Object.keys(secrets).length > 0);
    for (const line of presetText(parsed.destination.secrets).split("\n")) {
      if (Buffer.byteLength(line) > 998)
        t.fail(`${what}: a line that FFmpeg would print into its log`);
    }
  }
  t.equal(shownUrl("rtmp://h/app", true), "rtmp://h/app/****");
  t.equal(shownUrl("srt://h:1", true), "srt://h:1?****");
  t.equal(shownUrl("srt://h:1?mode=caller", true), "srt://h:1?mode=caller&****");
});

/** FFmpeg's rtmpproto.c, for a path without a query: the application and the key. */
const asFfmpeg = (plain: string): { app: string; key: string } => {
  const slash = plain.indexOf("/");
  if (slash < 0) return { app: plain, key: "" };
  const second = plain.indexOf("/", slash + 1);
  return second < 0
    ? { app: plain.slice(0, slash), key: plain.slice(slash + 1) }
    : { app: plain.slice(0, second), key: plain.slice(second + 1) };
};

t.test("a path is split as FFmpeg splits it", async (t) => {
  for (const plain of [
    "app",
    "app/k",
    "a/b/k",
    "a/b/c/k",
    "a/b/c/d/e/k",
    "live2/xxxx-yyyy",
    "ondemands/x/y",
  ]) {
    const parsed = parse(`rtmp://h/${plain}`);
    if (typeof parsed === "string") throw new Error(parsed);
    const app = parsed.url.slice("rtmp://h/".length);
    const key = parsed.secrets["rtmp_playpath"] ?? "";
    t.same({ app, key }, asFfmpeg(plain), plain);
    t.equal(parsed.secrets["rtmp_app"] ?? app, app);
    t.equal("rtmp_app" in parsed.secrets, app.includes("/"), "FFmpeg is told of a second level");
  }
});

t.test("a token without a key does not make FFmpeg take the application for the key", async (t) => {
  // With rtmp_app set and no rtmp_playpath, FFmpeg publishes under the URL's path.
  const parsed = parse(`rtmp://h/app?token=${KEY}`);
  t.ok(
    typeof parsed === "string" || "rtmp_playpath" in parsed.secrets,
    "refused, or with a key of its own",
  );
});

t.test("what is refused, in a sentence that repeats no secret", async (t) => {
  const rows: readonly [string, string | undefined, RegExp][] = [
    ["", undefined, /must be a URL/],
    [KEY, undefined, /must be a URL/],
    [`http://h/${KEY}`, undefined, /must be a URL/],
    [`rtmpe://h/app/${KEY}`, undefined, /must be a URL/],
    [`file:///${KEY}`, undefined, /must be a URL/],
    [`-f null ${KEY}`, undefined, /must be a URL/],
    [` rtmp://h/app/${KEY}`, undefined, /must be a URL/],
    [`rtmp:/h/app/${KEY}`, undefined, /must be a URL/],
    [`rtmp://h/app/${KEY}\n`, undefined, /control character/],
    [`rtmp://h/a pp/${KEY}`, undefined, /space/],
    [`rtmp://h/app/${KEY}\0`, undefined, /control/],
    [`rtmp://h/äpp/${KEY}`, undefined, /ASCII/],
    ["rtmp://h/app", `${KEY}\nrtmp_app=x`, /control character/],
    ["rtmp://h/app", `${KEY}\r`, /control character/],
    ["rtmp://h/app", `${KEY}\0`, /control character/],
    ["rtmp://h/app", `${KEY}\u2028`, /control character/],
    ["rtmp://h/app", `${KEY}\u0085`, /control character/],
    ["rtmp://h/app", "", /empty/],
    ["rtmp://h/app", KEY.repeat(200), /longer than 900/],
    ["rtmp://h/app", "ü".repeat(451), /longer than 900/],
    [`rtmp://h/app/${KEY.repeat(120)}`, undefined, /longer than 900/],
    [`rtmp://h/app/x?t=${KEY.repeat(120)}`, undefined, /longer than 900/],
    [`rtmp://h/app?t=${KEY.repeat(120)}`, "x", /longer than 900/],
    [`rtmp://user:${KEY}@h/app`, undefined, /user name or password/],
    [`rtmp://${KEY}@h/app`, undefined, /user name or password/],
    [`rtmp://h:${KEY}@h2/app`, undefined, /user name or password/],
    [`srt://u:${KEY}@h:1`, undefined, /user name or password/],
    ["rtmp://", undefined, /host/],
    [`rtmp:///app/${KEY}`, undefined, /host/],
    [`rtmp://-h/app/${KEY}`, undefined, /host/],
    [`rtmp://h-/app/${KEY}`, undefined, /host/],
    [`rtmp://:1935/app/${KEY}`, undefined, /host/],
    [`rtmp://a:b:c/app/${KEY}`, undefined, /host/],
    [`rtmp://[::1/app/${KEY}`, undefined, /host/],
    [`rtmp://h%41/app/${KEY}`, undefined, /host/],
    [`rtmp://h:0/app/${KEY}`, undefined, /port/],
    [`rtmp://h:65536/app/${KEY}`, undefined, /port/],
    [`rtmp://h:/app/${KEY}`, undefined, /port/],
    ["rtmp://h", undefined, /application/],
    ["rtmp://h/", KEY, /application/],
    ["rtmp://h///", undefined, /application/],
    [`rtmp://h?x=${KEY}`, undefined, /application/],
    [`rtmp://h/a//${KEY}`, undefined, /application/],
    ["srt://h", KEY, /port/],
    [`srt://h:1/${KEY}`, undefined, /path/],
    [`srt://h:1?passphrase=${KEY}`, undefined, /10 to 79/],
    ["srt://h:1", KEY, /10 to 79/],
    ["srt://h:1", KEY.repeat(20), /10 to 79/],
    [`srt://h:1?streamid=${KEY.repeat(100)}`, undefined, /512/],
    [`srt://h:1?streamid=${KEY}%0Ax`, undefined, /control/],
    [`srt://h:1?streamid=${KEY}%zz`, undefined, /percent/],
    [`srt://h:1?latency=${KEY}%20x`, undefined, /no such parameter/],
    [`srt://h:1?${KEY}=1`, undefined, /no such parameter/],
    [`srt://h:1?latency=1&x=${KEY}`, undefined, /no such parameter/],
  ];
  for (const [to, key, message] of rows) {
    const said = parse(to, key);
    t.match(
      typeof said === "string" ? said : "accepted",
      message,
      `${to} ${key ?? ""}`.slice(0, 70),
    );
    const secret = JSON.stringify(said);
    if (secret.includes(KEY) || (key !== undefined && key !== "" && secret.includes(key)))
      t.fail(`${to}: repeats the key`);
  }
  for (const to of ["srt://h:1?streamid=", "srt://h:1?streamid"]) {
    const parsed = parse(to);
    // What is masked in logs is every secret: an empty one would be found between any two letters.
    t.ok(
      typeof parsed === "string" || !Object.values(parsed.secrets).includes(""),
      `${to}: no empty secret`,
    );
  }
});
