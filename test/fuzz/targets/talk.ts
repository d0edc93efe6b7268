import { isDeepStrictEqual } from "node:util";
import { readMessage } from "../../../cli/client/message.ts";
import { sentenceOf } from "../../../cli/client/failure.ts";
import type { Log } from "../../../daemon/log/log.ts";
import { type Handlers, answerer } from "../../../daemon/rpc/server.ts";
import { METHODS, type MethodName } from "../../../shared/contract/methods.ts";
import { ERRORS } from "../../../shared/errors.ts";
import { FrameReader } from "../../../shared/frames.ts";
import type { Target } from "../engine.ts";
import { SECRET, hold, isClean, isKept, isShort } from "../properties.ts";

const request = (method: string, params: object): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });

const REQUESTS = [
  request("daemon.hello", { protocol: 1, oldest: 1, client: "streambro 0.1.0" }),
  request("stream.add", {
    ...{ name: "radio", input: "/f/film.mp4", to: "rtmp://a.example/live", key: SECRET },
    ...{ loop: true, mode: "auto", encoding: { width: 1280, fps: 29.97, preset: "veryfast" } },
  }),
  request("stream.set", { name: "radio", to: `rtmp://a.example/live/${SECRET}`, owner: "anna" }),
  request("stream.status", { names: ["radio", "news"] }),
  request("stream.logs", { name: "radio", cursor: "100", waitMs: 1 }),
  request("stream.start", { name: "radio", forMs: 1_000 }),
  request("history.list", { names: ["radio"], since: "2026-11-23T03:12:09.000Z", limit: 5 }),
  request("limits.set", { users: { anna: 3 }, perUser: 2 }),
  request("rpc.discover", {}),
  `[${request("daemon.status", {})},${request("stream.stop", { name: "radio" })}]`,
];

const silent = (): void => {};
const log: Log = { debug: silent, info: silent, warn: silent, error: silent, child: () => log };

/** Each looks once more at what it is handed. */
const handlers = Object.fromEntries(
  (Object.keys(METHODS) as MethodName[]).map((name) => [
    name,
    async (params: unknown) => {
      hold(
        METHODS[name].params.safeParse(params).success,
        `${name} is handed what it should not be`,
      );
      return { called: name };
    },
  ]),
) as unknown as Handlers;

const answer = answerer(handlers, "1.2.3", log);
const caller = { gone: new AbortController().signal, peer: null };
const NUMBERS: ReadonlySet<unknown> = new Set([
  ...[-32_700, -32_600, -32_601, -32_602],
  ...Object.values(ERRORS)
    .map(({ rpc }) => rpc)
    .filter((rpc) => rpc !== ERRORS.INTERNAL.rpc),
]);

type Reply = {
  jsonrpc?: unknown;
  id?: unknown;
  result?: unknown;
  error?: { code: unknown; message: string };
};

/** A key is where a key belongs, and nowhere else: what else is repeated is no secret. */
const isSecretInPlace = (line: string): boolean => {
  try {
    const { params, ...rest } = JSON.parse(line) as { params?: Record<string, unknown> };
    const { key, ...others } = params ?? {};
    return typeof key === "string" && !JSON.stringify([rest, others]).includes(SECRET.slice(0, 7));
  } catch {
    return true;
  }
};

const frames: Target = {
  name: "frames",
  samples: ['{"a":1}\n{"b":2}\n', "\n\r\n \n", `${"x".repeat(300)}\n`, "é\u{1F600}\n"],
  mostBytes: 4_096,
  check: (bytes) => {
    const read = (cut: number): string[] => {
      const reader = new FrameReader(256);
      const lines: string[] = [];
      for (let at = 0; at < bytes.length; at += cut)
        reader.push(
          bytes.subarray(at, at + cut),
          (line) => lines.push(line),
          () => lines.push("too long"),
        );
      return lines;
    };
    const whole = read(bytes.length || 1);
    for (const line of whole)
      hold(line.trim() !== "" && line.length <= 256, "a line out of bounds");
    for (const cut of [1, 7, 255])
      hold(isDeepStrictEqual(read(cut), whole), `it depends on pieces of ${cut}`);
  },
};

const requests: Target = {
  name: "requests",
  samples: REQUESTS,
  mostBytes: 65_536,
  check: async (bytes) => {
    const line = bytes.toString("utf8");
    const text = await answer(line, caller);
    if (text === null) return;
    const said: unknown = JSON.parse(text);
    for (const reply of (Array.isArray(said) ? said : [said]) as Reply[]) {
      hold(reply.jsonrpc === "2.0", "it is no answer");
      if (reply.error === undefined) continue;
      hold(NUMBERS.has(reply.error.code), `nobody declared the error ${text.slice(0, 300)}`);
      isClean(reply.error.message, "the error");
      isShort(reply.error.message, 1_000, "the error");
    }
    if (isSecretInPlace(line)) isKept(text, "the answer");
  },
  work: (bytes) => void answer(bytes.toString("utf8"), caller).catch(silent),
};

const ANSWERS = [
  '{"jsonrpc":"2.0","id":1,"result":{"protocol":1,"version":"0.1.0"}}',
  '{"jsonrpc":"2.0","id":2,"error":{"code":-32004,"message":"radio: there is none","data":{"code":"STREAM_NOT_FOUND"}}}',
  '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"no"}}',
  '{"jsonrpc":"2.0","method":"event","params":{"entry":{"id":1}}}',
];

const answers: Target = {
  name: "answers",
  samples: ANSWERS,
  mostBytes: 65_536,
  check: (bytes) => {
    const message = readMessage(bytes.toString("utf8"));
    if (message.kind !== "refusal") return;
    const sentence = sentenceOf(message.failure);
    for (const line of sentence.split("\n")) isClean(line, "the sentence");
    isShort(sentence, 9_000, "the sentence");
  },
  work: (bytes) => readMessage(bytes.toString("utf8")),
};

/** Who talks on the socket, at either end. */
export const TALK: readonly Target[] = [frames, requests, answers];
