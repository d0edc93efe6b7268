import { setImmediate } from "node:timers/promises";
import t from "tap";
import { entryOf } from "../../daemon/history/happening.ts";
import { type Listening, Subscribers } from "../../daemon/history/subscribers.ts";
import type { Channel } from "../../daemon/rpc/channel.ts";
import { recordingLog } from "../helpers/recording-log.ts";

const entry = (stream: string | null, id: number, message = "m") =>
  entryOf({ stream, kind: "started", message }, id, 0);

/** A connection whose other end reads nothing until told to. */
const reader = () => {
  const gone = new AbortController();
  const made = { lines: [] as string[], unread: 0, ended: false, gone };
  const write = (line: string): void => {
    made.lines.push(line);
    made.unread += line.length + 1;
  };
  const channel: Channel = {
    send: write,
    unread: () => made.unread,
    end: (line) => {
      write(line);
      made.ended = true;
    },
  };
  const heard = (): string[] =>
    made.lines.map((line) => {
      const { method, params } = JSON.parse(line);
      return method === "event" ? `event ${params.id}` : method;
    });
  return Object.assign(made, { channel, heard });
};

const asking = (
  { channel }: { readonly channel: Channel },
  names: readonly string[] | null = null,
  uid: number | null = null,
): Listening => ({ channel, names, uid, mayHear: () => true });

t.test("what happens is told after the answer, in order, to whom it concerns", async (t) => {
  const subscribers = new Subscribers(recordingLog().log);
  const [all, radio] = [reader(), reader()];
  subscribers.add(asking(all), all.gone.signal);
  subscribers.add(asking(radio, ["radio"]), radio.gone.signal);
  subscribers.tell(entry("radio", 1));
  t.same(all.heard(), [], "nothing before the answer is out");
  await setImmediate();
  subscribers.tell(entry(null, 2));
  subscribers.tell(entry("news", 3));
  subscribers.tell(entry("radio", 4));
  t.same(all.heard(), ["event 1", "event 2", "event 3", "event 4"]);
  t.same(radio.heard(), ["event 1", "event 4"]);
  t.throws(() => subscribers.add(asking(all), all.gone.signal), /subscribed already/);
  radio.gone.abort();
  t.equal(subscribers.count, 1);
  subscribers.close("ending");
  subscribers.tell(entry("radio", 5));
  t.same([all.heard().at(-1), all.ended, subscribers.count], ["ended", true, 0]);
});

t.test("who does not read is cut off, and nobody else", async (t) => {
  const { log, lines } = recordingLog();
  const subscribers = new Subscribers(log);
  const [slow, quick] = [reader(), reader()];
  // What the snapshot took does not count.
  slow.unread = 3 << 20;
  subscribers.add(asking(slow), slow.gone.signal);
  subscribers.add(asking(quick), quick.gone.signal);
  await setImmediate();
  for (let id = 1; id <= 10_000; id += 1) {
    subscribers.tell(entry("radio", id, "x".repeat(200)));
    quick.unread = 0;
  }
  t.ok(slow.ended);
  t.ok(slow.unread < (4 << 20) + 4_096, `${slow.unread} bytes`);
  t.equal(slow.heard().at(-1), "dropped");
  t.match(JSON.parse(slow.lines.at(-1) ?? ""), { params: { message: /left unread/ } });
  t.notOk(quick.ended);
  t.equal(quick.lines.length, 10_000);
  t.match(lines, [{ level: "warn", event: "events-dropped" }]);
  t.equal(lines.length, 1, "said once");
});

t.test("there is an end to how many may listen", async (t) => {
  const subscribers = new Subscribers(recordingLog().log);
  const readers = Array.from({ length: 33 }, () => reader());
  for (const one of readers.slice(0, 32)) subscribers.add(asking(one), one.gone.signal);
  const last = readers[32] ?? reader();
  const add = (): void => subscribers.add(asking(last), last.gone.signal);
  t.throws(add, { code: "SUBSCRIBERS_EXCEEDED", message: /32 others/ });
  readers[0]?.gone.abort();
  add();
  t.equal(subscribers.count, 32);
});

t.test("a user hears what it may, and leaves room for others", async (t) => {
  const subscribers = new Subscribers(recordingLog().log);
  const own = Array.from({ length: 9 }, () => reader());
  const mayHear: Listening["mayHear"] = ({ stream, owner }) => stream === null || owner === "anna";
  const add = ({ channel, gone }: (typeof own)[number], uid: number | null): void =>
    subscribers.add({ channel, names: null, uid, mayHear }, gone.signal);
  for (const one of own.slice(0, 8)) add(one, 1000);
  const last = own[8] ?? reader();
  t.throws(() => add(last, 1000), { code: "SUBSCRIBERS_EXCEEDED", message: /8 times already/ });
  add(last, 1001);
  add(reader(), null);
  await setImmediate();
  subscribers.tell({ ...entry("radio", 1), owner: "anna" });
  subscribers.tell({ ...entry("news", 2), owner: "bob" });
  subscribers.tell(entry("old", 3));
  subscribers.tell(entry(null, 4));
  t.same(own[0]?.heard(), ["event 1", "event 4"]);
  own[0]?.gone.abort();
  add(reader(), 1000);
});
