import dgram from "node:dgram";
import net from "node:net";

/** How a receiver misbehaves. */
export type Malice =
  | "garbage"
  | "half-handshake"
  | "endless"
  | "tarpit"
  | "huge-chunk-size"
  | "negative-chunk-size"
  | "long-message"
  | "redirect"
  | "refusal"
  | "long-refusal"
  | "echo";

export type HostileServer = {
  readonly port: number;
  /** When each connection came, in milliseconds. */
  readonly connections: readonly number[];
  /** All that was said to it, in latin1; no more than the first megabyte. */
  readonly heard: () => string;
  readonly close: () => void;
};

const HANDSHAKE = 1_536;

const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(9);
  bytes.writeDoubleBE(value, 1);
  return bytes;
};
const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  if (bytes.length > 0xff_ff) {
    const head = Buffer.from([0x0c, 0, 0, 0, 0]);
    head.writeUInt32BE(bytes.length, 1);
    return Buffer.concat([head, bytes]);
  }
  return Buffer.concat([Buffer.from([0x02, bytes.length >> 8, bytes.length & 0xff]), bytes]);
};
const object = (fields: Readonly<Record<string, Buffer>>): Buffer =>
  Buffer.concat([
    Buffer.from([0x03]),
    ...Object.entries(fields).map(([key, value]) => Buffer.concat([text(key).subarray(1), value])),
    Buffer.from([0, 0, 0x09]),
  ]);
const NULL = Buffer.from([0x05]);

/** One message on a chunk stream, in chunks of 128 bytes unless told; `claims` is the length that it says. */
const message = (type: number, body: Buffer, chunk = 128, claims = body.length): Buffer => {
  const head = Buffer.alloc(12);
  head.writeUInt8(type === 1 ? 2 : 3, 0);
  head.writeUIntBE(claims, 4, 3);
  head.writeUInt8(type, 7);
  const pieces: Buffer[] = [head];
  for (let at = 0; at < body.length; at += chunk) {
    if (at > 0) pieces.push(Buffer.from([0xc3]));
    pieces.push(body.subarray(at, at + chunk));
  }
  return Buffer.concat(pieces);
};
const invoke = (chunk: number, ...values: Buffer[]): Buffer =>
  message(0x14, Buffer.concat(values), chunk);
const chunkSize = (size: number): Buffer => {
  const body = Buffer.alloc(4);
  body.writeUInt32BE(size >>> 0);
  return message(1, body);
};

const refusal = (transaction: number, description: string, more = {}): Buffer => {
  const info = object({
    level: text("error"),
    code: text("NetConnection.Connect.Rejected"),
    description: text(description),
    ...more,
  });
  return Buffer.concat([
    chunkSize(65_536),
    invoke(65_536, text("_error"), number(transaction), NULL, info),
  ]);
};

type Talk = {
  readonly say: (bytes: Buffer) => void;
  readonly every: (ms: number, say: () => Buffer) => void;
};

/** What is said once the handshake is over, as soon as `heard` has come. */
const AFTERWARDS: Readonly<
  Partial<Record<Malice, (heard: string, talk: Talk, words: string, elsewhere: number) => boolean>>
> = {
  "huge-chunk-size": (heard, { say }) =>
    answered(heard, "connect", () =>
      say(
        Buffer.concat([
          chunkSize(0x7f_ff_ff_ff),
          message(0x14, Buffer.alloc(4_096, 0x02), 4_096, 0xff_ff_ff),
        ]),
      ),
    ),
  "negative-chunk-size": (heard, { say }) =>
    answered(heard, "connect", () =>
      say(Buffer.concat([chunkSize(-1), chunkSize(0), message(0x14, Buffer.alloc(512, 0xff))])),
    ),
  "long-message": (heard, { every }) =>
    answered(heard, "connect", () => every(100, () => Buffer.alloc(16_384, 0x03))),
  refusal: (heard, { say }, words) => answered(heard, "connect", () => say(refusal(1, words))),
  "long-refusal": (heard, { say }, words) =>
    answered(heard, "connect", () =>
      say(refusal(1, words.repeat(Math.ceil(1_000_000 / words.length)))),
    ),
  redirect: (heard, { say }, _, elsewhere) =>
    answered(heard, "connect", () => {
      const url = text(`rtmp://127.0.0.1:${elsewhere}/live`);
      const ex = object({ code: number(302), redirect: url });
      say(
        refusal(1, `[ AccessManager.Redirect ] ${url.toString("latin1", 3)}`, {
          ex,
          redirect: url,
        }),
      );
    }),
  echo: (heard, { say }, words) =>
    answered(heard, "publish", () => {
      const connected = object({
        code: text("NetConnection.Connect.Success"),
        level: text("status"),
      });
      const info = object({
        level: text("error"),
        code: text("NetStream.Publish.BadName"),
        description: text(words),
      });
      say(
        Buffer.concat([
          chunkSize(65_536),
          invoke(65_536, text("onStatus"), number(0), NULL, info),
          invoke(65_536, text("_result"), number(99), NULL, connected),
        ]),
      );
    }),
};

const answered = (heard: string, wanted: string, say: () => void): boolean => {
  if (!heard.includes(wanted)) return false;
  say();
  return true;
};

/** Takes connections on loopback and talks as `malice` says; `words` is what it says where it says any. */
export const startHostileServer = async (
  malice: Malice,
  words: string,
  elsewhere = 0,
): Promise<HostileServer> => {
  const connections: number[] = [];
  const open = new Set<net.Socket>();
  const timers = new Set<NodeJS.Timeout>();
  let heard = "";
  const serve = (socket: net.Socket): void => {
    connections.push(performance.now());
    open.add(socket);
    const say = (bytes: Buffer): void => void (socket.writable && socket.write(bytes));
    const every = (ms: number, what: () => Buffer): void => {
      const timer = setInterval(() => say(what()), ms);
      timers.add(timer);
      socket.on("close", () => clearInterval(timer));
    };
    socket.on("error", () => socket.destroy());
    socket.on("close", () => open.delete(socket));
    let own = "";
    let shaken = false;
    let created = 0;
    let done = false;
    if (malice === "garbage") say(Buffer.from(words.repeat(200)));
    if (malice === "endless") every(50, () => Buffer.alloc(65_536, words));
    if (malice === "tarpit") every(300, () => Buffer.from([3]));
    socket.on("data", (bytes: Buffer) => {
      own += bytes.toString("latin1");
      if (heard.length < 1 << 20) heard += bytes.toString("latin1");
      if (["garbage", "endless", "tarpit"].includes(malice) || done) return;
      if (!shaken && own.length > HANDSHAKE) {
        shaken = true;
        const asked = Buffer.from(own.slice(1, 1 + HANDSHAKE), "latin1");
        const own1 = Buffer.concat([Buffer.from([3]), Buffer.alloc(HANDSHAKE)]);
        if (malice === "half-handshake") return say(own1.subarray(0, 700));
        say(Buffer.concat([own1, asked]));
      }
      const talked = own.slice(1 + 2 * HANDSHAKE);
      if (malice === "echo" && created === 0 && talked.includes("connect")) {
        created = 1;
        const info = object({ level: text("status"), code: text("NetConnection.Connect.Success") });
        say(invoke(128, text("_result"), number(1), object({}), info));
      }
      const at = talked.indexOf("createStream");
      if (malice === "echo" && created === 1 && at >= 0 && talked.length >= at + 21) {
        created = 2;
        const transaction = Buffer.from(talked.slice(at + 13, at + 21), "latin1").readDoubleBE();
        say(invoke(128, text("_result"), number(transaction), NULL, number(1)));
      }
      done = AFTERWARDS[malice]?.(talked, { say, every }, words, elsewhere) ?? false;
    });
  };
  const server = net.createServer(serve);
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  return {
    port: (server.address() as net.AddressInfo).port,
    connections,
    heard: () => heard,
    close: () => {
      for (const timer of timers) clearInterval(timer);
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
};

/** Answers every datagram with something else than SRT, as long as the one that came. */
export const startHostileDatagrams = async (words: string): Promise<HostileServer> => {
  const connections: number[] = [];
  const seen = new Set<number>();
  const socket = dgram.createSocket("udp4");
  socket.on("message", (bytes, { port, address }) => {
    if (!seen.has(port)) connections.push(performance.now());
    seen.add(port);
    socket.send(Buffer.alloc(Math.max(16, bytes.length), words), port, address);
    // And what it said itself, turned round.
    socket.send(Buffer.from(bytes.toReversed()), port, address);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.bind(0, "127.0.0.1", resolve);
  await promise;
  const { port } = socket.address();
  return { port, connections, heard: () => "", close: () => void socket.close() };
};
