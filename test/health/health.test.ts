import net from "node:net";
import t from "tap";
import type { ProgressReport } from "../../daemon/ffmpeg/progress.ts";
import { Evidence } from "../../daemon/health/evidence.ts";
import { type Connection, parseSockets, readSockets } from "../../daemon/health/sockets.ts";
import { output } from "../helpers/command.ts";
import { until } from "../helpers/until.ts";

const report = (outTimeMs: number | null, totalBytes: number | null = null): ProgressReport => ({
  outTimeMs,
  frame: 1,
  fps: 25,
  speed: 1,
  totalBytes,
  ended: false,
});

const told = (acked: number): Connection => ({
  ...{ acked, window: 60_000, backlog: 0 },
  ...{ rttMs: 1, retransmits: 0, ends: [] },
});
const maybe = (acked: number | null | undefined): Connection | null | undefined =>
  typeof acked === "number" ? told(acked) : acked;

t.test("flowing needs media time and acknowledged bytes beyond a handshake", async (t) => {
  type Look = readonly [ProgressReport | null, number | null | undefined];
  const rows: readonly [string, readonly Look[], boolean][] = [
    ["nothing yet", [], false],
    ["no report", [[null, 100_000]], false],
    ["media, the kernel not asked", [[report(500), undefined]], false],
    ["media and a handshake", [[report(500), 6_144]], false],
    ["media and bytes", [[report(500), 6_145]], true],
    ["bytes, but media time unknown", [[report(null), 100_000]], false],
    ["bytes, but media time at 0", [[report(0), 100_000]], false],
    ["media, and a kernel that cannot tell", [[report(500), null]], true],
    [
      "the kernel tells once, is not asked later",
      [
        [report(500), 9_000],
        [report(900), undefined],
      ],
      true,
    ],
    [
      "bytes never fall",
      [
        [report(500), 9_000],
        [report(900), 0],
      ],
      true,
    ],
  ];
  for (const [what, looks, flowing] of rows) {
    const evidence = new Evidence(false);
    for (const [n, [progress, acked]] of looks.entries())
      evidence.see(n * 500, progress, maybe(acked));
    t.equal(evidence.flowing, flowing, what);
  }
});

t.test("of an adopted stream bytes are evidence enough, however few at a time", async (t) => {
  const evidence = new Evidence(true);
  for (let look = 0; look < 4; look += 1)
    evidence.see(look * 500, null, told(9_000 + look * 2_000));
  t.notOk(evidence.flowing, "no more than what may be told twice");
  evidence.see(2_000, null, told(17_000));
  t.ok(evidence.flowing, "32 kbit/s");
});

t.test("health is known while somebody looks, and judged by what arrives", async (t) => {
  const evidence = new Evidence(false);
  const healthAt = (at: number): string => {
    evidence.judge(10_000);
    return evidence.deliveryAt(at).health;
  };
  t.equal(healthAt(0), "unknown");
  evidence.see(1_000, report(500), told(50_000));
  t.equal(healthAt(1_000), "delivering");
  t.equal(healthAt(10_999), "delivering");
  t.equal(healthAt(11_000), "unknown", "nobody has looked for ten seconds");
  evidence.see(11_000, report(500), undefined);
  t.equal(healthAt(11_000), "unknown", "nor was the kernel asked");
  for (let at = 12; at <= 40; at += 1)
    evidence.see(at * 1_000, report(at * 1_000, at * 50_000), told(at * 50_000));
  t.equal(healthAt(40_000), "delivering");
  evidence.see(41_000, null, undefined);
  t.equal(evidence.report?.outTimeMs, 40_000, "a look that finds nothing takes nothing away");
  for (let at = 41; at <= 52; at += 1)
    evidence.see(at * 1_000, report(at * 1_000, at * 50_000), told(40 * 50_000));
  t.equal(healthAt(52_000), "stalled");
  evidence.see(53_000, report(53_000, 53 * 50_000), null);
  t.equal(healthAt(53_000), "delivering", "what one of them told says nothing of the other");
});

t.test("a look that could see nothing is no evidence of a stall", async (t) => {
  const evidence = new Evidence(false);
  const judged = (at: number): string => {
    evidence.judge(10_000);
    return evidence.deliveryAt(at).health;
  };
  for (let at = 0; at <= 30; at += 1)
    evidence.see(at * 1_000, report(at * 1_000), null, () => at * 50_000);
  t.equal(judged(30_000), "delivering");
  const health = new Set<string>();
  for (let at = 31; at <= 60; at += 1) {
    evidence.see(at * 1_000, null, null, () => null);
    health.add(judged(at * 1_000));
  }
  t.same([...health], ["delivering", "unknown"], "no descriptors for half a minute");
  for (let at = 61; at <= 90; at += 1) evidence.see(at * 1_000, null, null, () => 1_500_000);
  t.equal(judged(90_000), "stalled", "but one that reads nothing does not deliver either");
});

t.test(
  "the bitrate is the true one at every look, however seldom the kernel is asked",
  async (t) => {
    // A look takes its time too, so that looks are never an even second apart.
    const rows = [
      [260, 1],
      [260, 2],
      [1_000, 2],
      [1_030, 2],
      [1_300, 2],
    ] as const;
    for (const [lookMs, every] of rows) {
      const evidence = new Evidence(false);
      const wrong: string[] = [];
      for (let look = 0; look < 100; look += 1) {
        const at = look * lookMs;
        evidence.see(at, report(at), maybe(look % every === 0 ? at * 125 : undefined));
        const kbps = evidence.bitrateKbps;
        if (at > 8_000 && (kbps === null || Math.abs(kbps - 1_000) > 50))
          wrong.push(`${at}: ${kbps}`);
      }
      t.same(
        wrong.slice(0, 4),
        [],
        `a look every ${lookMs} ms, the kernel asked at each ${every}. one`,
      );
    }
    const own = new Evidence(false);
    for (let at = 0; at <= 10_000; at += 500) own.see(at, report(at, at * 125), null);
    t.equal(own.bitrateKbps, 1_000, "by FFmpeg's own count where the kernel cannot tell");
    t.equal(new Evidence(false).bitrateKbps, null);
    const still = new Evidence(false);
    for (let at = 0; at <= 10_000; at += 500) still.see(at, report(1), told(7_000));
    t.equal(still.bitrateKbps, 0);
  },
);

t.test("ss: lines of one process add up, and nothing upsets it", async (t) => {
  const line = (users: string, info: string): string =>
    `ESTAB 0 0 127.0.0.1:5 127.0.0.1:6 users:(${users}) cubic wscale:7,7 rto:204 ${info}`;
  const text = [
    line('("ffmpeg",pid=12,fd=7)', "bytes_sent:900 bytes_acked:500 bytes_received:3"),
    line('("ffmpeg",pid=12,fd=8)', "bytes_acked:41"),
    line('("ffmpeg",pid=13,fd=7)', "bytes_sent:10"),
    line('("sh",pid=14,fd=3),("ffmpeg",pid=15,fd=3)', "bytes_acked:7"),
    line('("ffmpeg",pid=16,fd=3),("ffmpeg",pid=16,fd=4)', "bytes_acked:9"),
    "ESTAB 0 0 1.2.3.4:5 6.7.8.9:10 cubic bytes_acked:99",
    "",
  ].join("\n");
  t.same(
    [...parseSockets(text)].map(([pid, { acked }]) => [pid, acked]),
    [
      [12, 541],
      [13, 0],
      [14, 7],
      [15, 7],
      [16, 9],
    ],
  );
  const whole =
    'ESTAB 0      85214  10.1.0.2:40220 [2001:db8::1]:1935 users:(("ffmpeg",pid=7,fd=4)) bbr ' +
    "wscale:10,7 rto:204 backoff:1 rtt:33.649/4.098 bytes_sent:588700 bytes_retrans:10 " +
    "segs_out:2999 data_segs_out:2900 " +
    "bytes_acked:588701 retrans:0/12 notsent:85214 minrtt:0.001 snd_wnd:948224 ";
  t.same(parseSockets(whole).get(7), {
    ...{ acked: 588_701, window: 948_224, backlog: 85_214, rttMs: 33.649, retransmits: 12 },
    ...{ segments: 2_900, grain: 1_024, minRttMs: 0.001 },
    ends: [{ local: "10.1.0.2:40220", peer: "[2001:db8::1]:1935" }],
  });
  t.equal(parseSockets("").size, 0);
  let seed = 9;
  const random = (): number =>
    (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
  for (let n = 0; n < 3_000; n += 1) {
    const bytes = Buffer.from(text);
    for (let changes = 0; changes < 6; changes += 1)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    for (const [pid, found] of parseSockets(bytes.toString("latin1"))) {
      const { acked, window, backlog, retransmits, rttMs } = found;
      for (const count of [pid, acked, window, backlog, retransmits, rttMs ?? 0])
        if (!Number.isFinite(count) || count < 0) t.fail(`${pid}: ${JSON.stringify(found)}`);
    }
  }
});

t.test("a connection of this very process is seen by the real ss", async (t) => {
  const server = net.createServer((socket) => socket.resume().on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  t.teardown(() => {
    client.destroy();
    server.close();
  });
  const before = (await readSockets())?.get(process.pid)?.acked ?? 0;
  client.write(Buffer.alloc(300_000));
  const acked = await until(
    "the bytes are acknowledged",
    async () => {
      const now = (await readSockets())?.get(process.pid)?.acked ?? 0;
      return now - before >= 300_000 ? now : 0;
    },
    5_000,
  );
  t.ok(acked - before < 400_000);
  t.ok(
    (parseSockets(await output("ss", ["-tinpHO"])).get(process.pid)?.acked ?? 0) >= acked,
    "and in its plain output",
  );
});
