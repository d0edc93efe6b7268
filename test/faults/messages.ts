import { METHODS } from "../../shared/contract/methods.ts";
import { MAX_FRAME_BYTES } from "../../shared/protocol.ts";

/** Calls that change what the daemon or its streams do come malformed only. */
const CHANGING = new Set(["daemon.stop", "limits.set", "stream.add", "encoders.get"]);
const NAMES = [...Object.keys(METHODS), "rpc.discover", "nope", "constructor", "__proto__", ""];
const SCALARS = [null, true, 0, -1, 1.5, "", "nobody", "__proto__", "\u0000", "\u{1f3ac}", 1e308];
const KEYS = ["name", "names", "id", "to", "key", "__proto__", "then", "toJSON", "waitMs", "lines"];

/** One frame as some client could write it, its newline left out. */
export type Message = { readonly kind: string; readonly bytes: Buffer };

const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);

/** Generates what a client should not send, and some of what it may; the same for the same `random`. */
export const messagesFrom = (random: () => number): (() => Message) => {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const value = (depth: number): unknown => {
    const kind = random();
    if (depth === 0 || kind < 0.6) return pick(SCALARS);
    const some = Array.from({ length: Math.floor(random() * 4) }, () => value(depth - 1));
    return kind < 0.8 ? some : Object.fromEntries(some.map((one) => [pick(KEYS), one]));
  };
  const request = (): Record<string, unknown> => {
    const method = random() < 0.9 ? pick(NAMES) : value(1);
    const isChanging = typeof method === "string" && CHANGING.has(method);
    const usable = { name: "nobody", ...(random() < 0.3 ? (value(1) as object) : {}) };
    return {
      jsonrpc: random() < 0.9 ? "2.0" : value(1),
      method,
      params: isChanging ? { nonsense: value(2) } : random() < 0.6 ? usable : value(3),
      ...(random() < 0.85 ? { id: random() < 0.8 ? Math.floor(random() * 1e6) : value(2) } : {}),
    };
  };
  const text = (kind: string, of: string): Message => ({ kind, bytes: Buffer.from(of) });
  const kinds: readonly (readonly [weight: number, make: () => Message])[] = [
    [50, () => text("request", JSON.stringify(request()))],
    [12, () => text("value", JSON.stringify(value(4)))],
    [
      8,
      () =>
        text("batch", JSON.stringify(Array.from({ length: Math.floor(random() * 20) }, request))),
    ],
    [1, () => text("long batch", JSON.stringify(Array.from({ length: 150 }, request)))],
    [
      14,
      () => {
        const whole = JSON.stringify(request());
        return text("cut off", whole.slice(0, Math.floor(random() * whole.length)));
      },
    ],
    [
      8,
      () => {
        const bytes = Buffer.from(
          Array.from({ length: 1 + Math.floor(random() * 300) }, () => Math.floor(random() * 256)),
        );
        // A newline would make two frames of it.
        return {
          kind: "binary",
          bytes: Buffer.from(bytes.map((byte) => (byte === 10 ? 11 : byte))),
        };
      },
    ],
    [
      3,
      () =>
        text(
          "deep",
          `{"jsonrpc":"2.0","id":1,"method":"stream.show","params":${nested(1 + Math.floor(random() * 20_000))}}`,
        ),
    ],
    [
      0.3,
      () =>
        text(
          "huge",
          `{"jsonrpc":"2.0","id":1,"method":"stream.show","params":{"name":"${"x".repeat(Math.floor(random() * MAX_FRAME_BYTES))}"}}`,
        ),
    ],
    [
      0.2,
      () => ({
        kind: "too long",
        bytes: Buffer.alloc(MAX_FRAME_BYTES + 1 + Math.floor(random() * MAX_FRAME_BYTES), "y"),
      }),
    ],
  ];
  const whole = kinds.reduce((sum, [weight]) => sum + weight, 0);
  return () => {
    let left = random() * whole;
    const [, make] = kinds.find(([weight]) => (left -= weight) < 0) ?? kinds[0] ?? [];
    if (make === undefined) throw new Error("there is no kind of message");
    return make();
  };
};
