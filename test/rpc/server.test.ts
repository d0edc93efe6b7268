import t from "tap";
import { z } from "zod";
import { NOTIFICATIONS } from "../../shared/contract/history.ts";
import { METHODS, type MethodName } from "../../shared/contract/methods.ts";
import { ERRORS, StreamBroError } from "../../shared/errors.ts";
import type { Log } from "../../daemon/log/log.ts";
import { openRpcDocument } from "../../daemon/rpc/openrpc.ts";
import { type Handlers, answerer, tooLong } from "../../daemon/rpc/server.ts";

const logged: string[] = [];
const write = (fields: object): void =>
  void logged.push(String((fields as { event: unknown }).event));
const log: Log = { debug: () => {}, info: write, warn: write, error: write, child: () => log };

/** Every method answers with its own name, but for those that show how failures come out. */
const handlers = {
  ...Object.fromEntries(
    (Object.keys(METHODS) as MethodName[]).map((name) => [name, async () => ({ called: name })]),
  ),
  "stream.start": async () => {
    throw new StreamBroError("DESTINATION_IN_USE", "radio: not started", { other: "news" });
  },
  "stream.stop": () => {
    throw new Error("a secret detail");
  },
} as unknown as Handlers;

const answer = answerer(handlers, "1.2.3", log);
const caller = { gone: new AbortController().signal, peer: null };
const ask = async (message: unknown): Promise<unknown> => {
  const text = await answer(
    typeof message === "string" ? message : JSON.stringify(message),
    caller,
  );
  return text === null ? null : JSON.parse(text);
};
const request = (method: unknown, params?: unknown, id: unknown = 1): Record<string, unknown> => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});
const refused = (code: number, id: unknown = null): object => ({
  jsonrpc: "2.0",
  id,
  error: { code, message: String },
});
const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

t.test("malformed input gets the right JSON-RPC error", async (t) => {
  const ok = { jsonrpc: "2.0", id: 1, result: { called: "daemon.status" } };
  const rows: readonly [string, string | object, object][] = [
    ["no JSON", "{", refused(-32_700)],
    ["half a message", '{"jsonrpc":"2.0","id":1,"meth', refused(-32_700)],
    ["binary", "\u0000\u0001\uFFFD", refused(-32_700)],
    ["a number", "1", refused(-32_600)],
    ["a string", '"x"', refused(-32_600)],
    ["true", "true", refused(-32_600)],
    ["null", "null", refused(-32_600)],
    ["an empty object", "{}", refused(-32_600)],
    ["an empty batch", "[]", refused(-32_600)],
    ["a batch of null", "[null]", [refused(-32_600)]],
    [
      "a batch of rubbish",
      '[1,"x",null,true,[]]',
      Array.from({ length: 5 }, () => refused(-32_600)),
    ],
    ["a nested batch", `[[${JSON.stringify(request("daemon.status", {}))}]]`, [refused(-32_600)]],
    ["version 1", { id: 1, method: "daemon.status" }, refused(-32_600)],
    ["an answer", { jsonrpc: "2.0", id: 1, result: 1 }, refused(-32_600)],
    ["a method that is a number", request(1), { error: { code: Number }, jsonrpc: "2.0" }],
    ["a method that is null", request(null), { error: { code: Number }, jsonrpc: "2.0" }],
    ["unknown", request("stream.explode"), refused(-32_601, 1)],
    ["unknown, with an id of null", request("stream.explode", {}, null), refused(-32_601)],
    ...["__proto__", "constructor", "toString", "hasOwnProperty", ""].map(
      (method): [string, object, object] => [
        `method ${method}`,
        request(method),
        refused(-32_601, 1),
      ],
    ),
    ["fine", request("daemon.status"), ok],
    ["params null", request("daemon.status", null), ok],
    ["a text for an id", request("daemon.status", {}, "x"), { ...ok, id: "x" }],
    ["an id of null", request("daemon.status", {}, null), { ...ok, id: null }],
    ["an id of 0", request("daemon.status", {}, 0), { ...ok, id: 0 }],
    ["deep junk", nested(100_000), [refused(-32_600)]],
    [
      "deep params",
      `{"jsonrpc":"2.0","id":1,"method":"stream.show","params":{"name":${nested(100_000)}}}`,
      refused(-32_602, 1),
    ],
  ];
  for (const [what, message, expected] of rows) {
    await t.resolveMatch(ask(message), expected, what);
  }
  t.match(JSON.parse(tooLong(1_000)), refused(-32_600));
});

t.test("an id that is neither text nor number is refused, however deep it is", async (t) => {
  for (const id of ["{}", "[]", "true", nested(3), nested(100_000)]) {
    const line = `{"jsonrpc":"2.0","id":${id},"method":"daemon.status","params":{}}`;
    await t.resolveMatch(ask(line), refused(-32_600), id.slice(0, 20));
  }
});

t.test("unusable params", async (t) => {
  const rows: readonly [MethodName, unknown, RegExp][] = [
    ["stream.show", [1], /expected object, received array/],
    ["stream.show", "radio", /expected object/],
    ["stream.show", {}, /string/],
    ["stream.show", { name: 1 }, /string/],
    ["stream.show", { name: "-x" }, /"-x" cannot be a stream's name/],
    ["stream.show", { name: "../x" }, /cannot be a stream's name/],
    ["stream.show", { name: "a\nb\u001B[31m" }, /"a\uFFFDb\uFFFD\[31m" cannot be/],
    ["stream.show", { name: "x".repeat(100_000) }, /^.{200,600}$/],
    ["stream.show", { name: "a", more: 1 }, /more/],
    ["stream.show", JSON.parse('{"name":"a","__proto__":{"x":1}}'), /__proto__/],
    ["stream.show", JSON.parse('{"constructor":{"prototype":{}}}'), /./],
    ["stream.status", { names: ["a", "B"] }, /names\.1: .*"B"/],
    ["stream.status", { names: Array.from({ length: 10_001 }, () => "a") }, /names: /],
    ["stream.wait", { name: "a", for: "ever", waitMs: 1 }, /for: /],
    ["stream.wait", { name: "a", for: "live", waitMs: -1 }, /waitMs: /],
    ["stream.wait", { name: "a", for: "live", waitMs: 1.5 }, /waitMs: /],
    ["stream.wait", { name: "a", for: "live", waitMs: 20_001 }, /waitMs: /],
    ["stream.logs", { name: "a", lines: 10_001 }, /lines: /],
    ["stream.add", { name: "a", input: "", to: "x" }, /input: /],
    ["stream.add", { name: "a", input: "/x", to: "rtmp://h/a", key: "" }, /key: /],
    ["daemon.hello", { protocol: 1 }, /./],
    ["daemon.stop", {}, /keepStreams/],
  ];
  for (const [method, params, message] of rows) {
    const expected = { id: 1, error: { code: -32_602, message, data: { code: "INVALID_SPEC" } } };
    await t.resolveMatch(
      ask(request(method, params)),
      expected,
      `${method} ${JSON.stringify(params)}`.slice(0, 70),
    );
  }
  const secret = "SECRET-9f2c";
  for (const params of [
    { name: "a", input: "/x", to: 1, key: secret },
    { name: "a", input: "/x", to: "rtmp://h/a", key: secret.repeat(100) },
    { name: "a", input: "/x", to: `rtmp://h/a/${secret}`.repeat(200) },
    { name: "a", input: "/x", to: "rtmp://h/a", key: [secret] },
  ]) {
    const said = JSON.stringify(await ask(request("stream.add", params)));
    t.notOk(said.includes(secret), "what was wrong is said without the key");
  }
  t.equal(Object.getOwnPropertyDescriptor(Object.prototype, "x"), undefined);
});

t.test("failures come out by the table, unforeseen ones without their detail", async (t) => {
  await t.resolveMatch(ask(request("stream.start", { name: "a" })), {
    error: {
      code: ERRORS.DESTINATION_IN_USE.rpc,
      message: "radio: not started",
      data: { code: "DESTINATION_IN_USE", other: "news" },
    },
  });
  logged.length = 0;
  const internal = await ask(request("stream.stop", { name: "a" }));
  t.match(internal, { error: { code: -32_603, data: { code: "INTERNAL" } } });
  t.notMatch(JSON.stringify(internal), /secret/);
  t.same(logged, ["internal"], "but they are logged");
});

t.test("notifications and batches", async (t) => {
  const notify = (method: string, params: unknown = {}): object => ({
    jsonrpc: "2.0",
    method,
    params,
  });
  for (const message of [
    notify("daemon.status"),
    notify("stream.explode"),
    notify("stream.show", []),
    notify("stream.stop", { name: "a" }),
    [notify("daemon.status"), notify("stream.explode")],
  ]) {
    t.equal(await ask(message), null, JSON.stringify(message));
  }
  t.match(
    await ask([
      request("daemon.status", {}, "b"),
      notify("daemon.status"),
      null,
      request("nope", {}, "c"),
    ]),
    [{ id: "b", result: { called: "daemon.status" } }, refused(-32_600), refused(-32_601, "c")],
  );
  const hundred = Array.from({ length: 100 }, (_, id) => request("daemon.status", {}, id));
  t.equal(((await ask(hundred)) as unknown[]).length, 100);
  t.match(
    await ask([...hundred, request("daemon.status")]),
    refused(-32_600),
    "one more is too many",
  );
  const one = await ask([request("daemon.status")]);
  t.ok(Array.isArray(one) && one.length === 1, "a batch of one is answered by a batch");
});

const seeded = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

t.test("20,000 generated messages: never rejected, never unanswered with an id", async (t) => {
  const random = seeded(11);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const scalars = [
    null,
    true,
    0,
    -1,
    1.5,
    "",
    "a",
    "radio",
    "__proto__",
    "\u0000",
    {},
    [],
    1e308,
  ] as const;
  const value = (depth: number): unknown => {
    const kind = random();
    if (depth === 0 || kind < 0.6) return pick(scalars);
    const some = Array.from({ length: Math.floor(random() * 4) }, () => value(depth - 1));
    if (kind < 0.8) return some;
    return Object.fromEntries(
      some.map((one) => [
        pick(["name", "names", "id", "to", "key", "__proto__", "then", "toJSON"]),
        one,
      ]),
    );
  };
  const names = [...Object.keys(METHODS), "rpc.discover", "nope", "constructor"];
  const single = (): unknown => {
    if (random() < 0.15) return value(3);
    const message: Record<string, unknown> = {
      jsonrpc: random() < 0.9 ? "2.0" : value(1),
      method: random() < 0.9 ? pick(names) : value(1),
    };
    if (random() < 0.8)
      message["params"] =
        random() < 0.7 ? { name: "a", keepStreams: true, ...(value(2) as object) } : value(3);
    if (random() < 0.8) message["id"] = random() < 0.8 ? Math.floor(random() * 1e6) : value(3);
    if (random() < 0.05) message[pick(["result", "error"])] = value(1);
    return message;
  };
  const problems: string[] = [];
  let answered = 0;
  for (let n = 0; n < 20_000; n += 1) {
    const message =
      random() < 0.1 ? Array.from({ length: Math.floor(random() * 5) }, single) : single();
    let line = JSON.stringify(message);
    if (random() < 0.05) line = line.slice(0, Math.floor(random() * line.length));
    try {
      const text = await answer(line, caller);
      if (text === null) {
        const owed = (Array.isArray(message) ? message : [message]).some(
          (one) => one === null || typeof one !== "object" || Object.hasOwn(one, "id"),
        );
        if (owed) problems.push(`unanswered: ${line}`);
        continue;
      }
      answered += 1;
      if (text.includes("\n")) problems.push(`more than a line: ${line}`);
      for (const reply of [JSON.parse(text)].flat()) {
        const isReply =
          reply.jsonrpc === "2.0" && "id" in reply && "result" in reply !== "error" in reply;
        if (!isReply) problems.push(`no answer: ${line} -> ${text.slice(0, 80)}`);
      }
    } catch (error) {
      problems.push(`rejected: ${line}: ${String(error)}`);
    }
  }
  t.ok(answered > 10_000);
  t.equal(problems.length, 0, "none", { first: problems.slice(0, 5) });
});

const Schema = z.looseObject({}).or(z.boolean());
const Parameter = z.object({ name: z.string().min(1), required: z.boolean(), schema: Schema });
const OpenRpc = z.strictObject({
  openrpc: z.string().regex(/^1\.[23]\.\d+$/),
  info: z.object({
    title: z.string().min(1),
    version: z.string().min(1),
    license: z.object({ name: z.string() }),
  }),
  methods: z.array(
    z.strictObject({
      name: z.string(),
      summary: z.string().min(1),
      paramStructure: z.literal("by-name"),
      params: z.array(Parameter),
      result: z.object({ name: z.string(), schema: Schema }),
      errors: z.array(z.object({ code: z.number().int(), message: z.string() })),
    }),
  ),
  "x-notifications": z.array(
    z.strictObject({ name: z.string(), summary: z.string().min(1), params: z.array(Parameter) }),
  ),
});

t.test("rpc.discover is an OpenRPC document of the whole contract", async (t) => {
  const { result } = (await ask(request("rpc.discover"))) as { result: unknown };
  t.same(result, JSON.parse(JSON.stringify(openRpcDocument("1.2.3"))));
  const document = OpenRpc.parse(result);
  t.equal(document.info.version, "1.2.3");
  t.same(document.methods.map(({ name }) => name).sort(), Object.keys(METHODS).sort());
  t.same(
    document["x-notifications"].map(({ name }) => name),
    Object.keys(NOTIFICATIONS),
    "and of what the daemon says unasked",
  );
  for (const { name, params, errors } of document.methods) {
    const shape = METHODS[name as MethodName].params.shape as Record<string, z.ZodType>;
    t.same(
      params.map((one) => one.name),
      Object.keys(shape),
      name,
    );
    const required = Object.entries(shape).filter(
      ([, field]) => !field.safeParse(undefined).success,
    );
    t.same(
      params.filter((one) => one.required).map((one) => one.name),
      required.map(([key]) => key),
    );
    t.equal(new Set(errors.map(({ code }) => code)).size, errors.length, "numbers are unique");
    // By-name parameters need no order, but a required one after an optional one confuses generators.
    t.same(errors.map(({ message }) => message).sort(), Object.keys(ERRORS).sort());
  }
  t.notMatch(JSON.stringify(result), /"\$ref":"(?!#)/, "nothing refers outside");
});
