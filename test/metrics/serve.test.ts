import net from "node:net";
import t from "tap";
import type { Log } from "../../daemon/log/log.ts";
import { MetricsServer } from "../../daemon/metrics/serve.ts";
import { until } from "../helpers/until.ts";

const bench = (text: () => Promise<string>) => {
  const said: { readonly sentence: string; readonly url: string }[] = [];
  const made = { at: 0, said };
  const write = (fields: object, sentence: string): void =>
    void said.push({ sentence, url: String((fields as { url?: string }).url) });
  const log: Log = { debug: write, info: write, warn: write, error: write, child: () => log };
  const page = { contentType: "text/x-test; charset=utf-8", text };
  const server = new MetricsServer({ page, log, monotonic: () => made.at });
  const url = async (address: string): Promise<string> => {
    const before = said.length;
    server.follow(address);
    await until("it serves", () => said.length > before, 5_000);
    return said.at(-1)?.url ?? "";
  };
  return Object.assign(made, { server, url });
};

const taken = async (t: { teardown: (end: () => void) => unknown }): Promise<net.Server> => {
  const other = net.createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  t.teardown(() => other.close());
  return other;
};

t.test("GET and HEAD of /metrics, and nothing else", async (t) => {
  const it = bench(async () => "a 1\nü 2\n");
  t.teardown(() => it.server.close());
  const url = await it.url("127.0.0.1:0");
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
  const got = await fetch(url);
  t.equal(got.status, 200);
  t.equal(got.headers.get("content-type"), "text/x-test; charset=utf-8");
  t.equal(await got.text(), "a 1\nü 2\n");
  t.equal((await fetch(`${url}?x=1`)).status, 200);
  const head = await fetch(url, { method: "HEAD" });
  t.equal(head.status, 200);
  t.equal(head.headers.get("content-length"), "9", "bytes, not characters");
  t.equal(await head.text(), "");
  for (const place of ["/", "/metrics/", "/metric", "/.."])
    t.equal((await fetch(new URL(place, url))).status, 404, place);
  for (const method of ["POST", "PUT", "DELETE"])
    t.equal((await fetch(url, { method })).status, 404, method);
  const { port } = new URL(url);
  const rude = net.connect(Number(port), "127.0.0.1");
  rude.write("\u0000\u0001 no HTTP\r\n\r\n");
  rude.resume();
  await new Promise((resolve) => rude.once("close", resolve));
  t.equal((await fetch(url)).status, 200, "and goes on after nonsense");
});

t.test("a page that cannot be made is 500, and said", async (t) => {
  const it = bench(() => Promise.reject(new Error("no figures")));
  t.teardown(() => it.server.close());
  const url = await it.url("127.0.0.1:0");
  t.equal((await fetch(url)).status, 500);
  t.match(it.said.at(-1)?.sentence, /no figures/);
});

t.test("it moves with the setting, and ends with open connections", async (t) => {
  const it = bench(async () => "x 1\n");
  const first = await it.url("127.0.0.1:0");
  const idle = net.connect(Number(new URL(first).port), "127.0.0.1");
  idle.on("error", () => {});
  await new Promise<void>((resolve) => idle.once("connect", resolve));
  const closed = new Promise((resolve) => idle.once("close", resolve));
  const second = await it.url("[::1]:0");
  t.match(second, /^http:\/\/\[::1\]:\d+\/metrics$/);
  t.equal((await fetch(second)).status, 200, "IPv6");
  await closed;
  await t.rejects(fetch(first), "the old place is given up");
  const named = await it.url("localhost:0");
  t.equal((await fetch(named.replace(/127\.0\.0\.1|\[::1\]/, "localhost"))).status, 200);
  it.server.follow("");
  await t.rejects(fetch(named));
  it.server.follow("");
  t.equal(it.server.warning, null);
});

t.test("a place that is taken is a warning, until it is free", async (t) => {
  const it = bench(async () => "x 1\n");
  t.teardown(() => it.server.close());
  const other = await taken(t);
  const { port } = other.address() as net.AddressInfo;
  const address = `127.0.0.1:${port}`;
  await it.url(address);
  t.match(
    it.server.warning,
    new RegExp(`^Nobody can scrape metrics at ${address}: the port is in`),
  );
  it.at = 30_000;
  it.server.follow(address);
  // The failure of this attempt is not said again: what follows is the first thing that is.
  await new Promise((resolve) => other.close(resolve));
  await until(
    "it serves",
    () => {
      it.at += 30_000;
      it.server.follow(address);
      return it.said.length > 1;
    },
    5_000,
  );
  t.match(it.said[1]?.sentence, `metrics are at http://${address}/metrics`);
  t.equal(it.server.warning, null);
  t.equal((await fetch(`http://${address}/metrics`)).status, 200);
  await it.url("127.0.0.1:70000");
  t.match(it.server.warning, /ports end at 65535/);
  await it.url("203.0.113.1:9464");
  t.match(it.server.warning, /this machine has no such address/);
});

t.test("connections are bounded", async (t) => {
  const it = bench(async () => "x 1\n");
  t.teardown(() => it.server.close());
  const port = Number(new URL(await it.url("127.0.0.1:0")).port);
  let refused = 0;
  const most = 32;
  const sockets = Array.from({ length: 50 }, () => {
    const socket = net.connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.on("close", () => (refused += 1));
    socket.resume();
    return socket;
  });
  await until("the surplus is turned away", () => refused >= 50 - most, 5_000);
  t.equal(refused, 50 - most);
  for (const socket of sockets) socket.destroy();
  await until(
    "there is room again",
    async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).status === 200,
    5_000,
  );
});
