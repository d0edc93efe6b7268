/** Numbers in [0, 1). */
export type Random = () => number;

export const below = (random: Random, most: number): number => Math.floor(random() * most);

export const one = <T>(random: Random, list: readonly T[]): T => {
  const found = list[below(random, list.length)];
  if (found === undefined) throw new Error("nothing to choose from");
  return found;
};

const NUMBERS = "0 -0 -1 1e999 -1e999 NaN Infinity 1e308 -1e308 5e-324 9007199254740993 4294967296";
const DIGITS = [
  ...NUMBERS.split(" "),
  ...["18446744073709551616", "9".repeat(400), "0x10", "1_000", "١٢", "2147483648", "65536", "1."],
];

/** What has upset one parser or another. */
const WORDS: readonly Buffer[] = [
  ...DIGITS,
  ...["__proto__", "constructor", "toString", "prototype", "hasOwnProperty"],
  ...['{"__proto__":{"polluted":1}}', '"constructor":{"prototype":{"polluted":1}}'],
  ...[
    "\u001B[31m",
    "\u001B]0;title\u0007",
    "\u009B2J",
    "\u0000",
    "\u007F",
    "\b",
    "\r\n",
    "\r",
    "\n",
  ],
  ...[
    "\u202E",
    "\u2066",
    "\u200B",
    "\u2028",
    "\u2029",
    "\uFEFF",
    "\\ud800",
    "\\u0000",
    "\\u001b[2J",
  ],
  ...[
    "null",
    "true",
    "[]",
    "{}",
    '""',
    "[[[[",
    "}}}}",
    '"',
    "\\",
    "'",
    "%00",
    "%ff",
    "%",
    "../",
    "//",
  ],
  ...["\t", " ", ":", ",", ";", "=", "&", "|", "*a", "&a", "<<", "? ", "- ", "!!binary ", "---\n"],
].map((word) => Buffer.from(word));

const BAD_UTF8 = ["ff", "c0af", "eda080", "f8888080", "80", "f0 9f 92".replaceAll(" ", "")].map(
  (hex) => Buffer.from(hex, "hex"),
);

type Mutation = (random: Random, bytes: Buffer, other: Buffer) => Buffer;

const splice = (bytes: Buffer, from: number, to: number, middle: Buffer): Buffer =>
  Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)]);

const span = (random: Random, bytes: Buffer): [number, number] => {
  const from = below(random, bytes.length + 1);
  return [from, Math.min(bytes.length, from + 1 + below(random, 24))];
};

/** Where a value stands in text: a number, or what is between quotes. */
const VALUE = /-?\d+(?:\.\d+)?|"[^"]*"/g;

const MUTATIONS: readonly Mutation[] = [
  // Cut short, at either end.
  (random, bytes) => bytes.subarray(0, below(random, bytes.length + 1)),
  (random, bytes) => bytes.subarray(below(random, bytes.length + 1)),
  (random, bytes) => splice(bytes, ...span(random, bytes), Buffer.alloc(0)),
  // A bit, a byte.
  (random, bytes) => {
    const copy = Buffer.from(bytes);
    if (copy.length === 0) return copy;
    const at = below(random, copy.length);
    copy.writeUInt8(copy.readUInt8(at) ^ (1 << below(random, 8)), at);
    return copy;
  },
  (random, bytes) => {
    const at = below(random, bytes.length + 1);
    return splice(bytes, at, at, Buffer.from([below(random, 256)]));
  },
  // A piece again, many times, or of another sample.
  (random, bytes) => {
    const [from, to] = span(random, bytes);
    const piece = bytes.subarray(from, to);
    const times = one(random, [1, 2, 10, 1_000]);
    return splice(bytes, from, from, Buffer.concat(Array.from({ length: times }, () => piece)));
  },
  (random, bytes, other) => {
    const [from, to] = span(random, other);
    return splice(bytes, ...span(random, bytes), other.subarray(from, to));
  },
  (random, bytes, other) =>
    Buffer.concat([
      bytes.subarray(0, below(random, bytes.length)),
      other.subarray(below(random, other.length)),
    ]),
  // A word that upsets.
  (random, bytes) => {
    const at = below(random, bytes.length + 1);
    return splice(bytes, at, at, one(random, [...WORDS, ...BAD_UTF8]));
  },
  (random, bytes) => splice(bytes, ...span(random, bytes), one(random, WORDS)),
  // In place of a whole value, so that what is around it stays readable.
  (random, bytes) => {
    const text = bytes.toString("latin1");
    const values = [...text.matchAll(VALUE)];
    if (values.length === 0) return bytes;
    const { index, 0: found } = one(random, values);
    const word = one(random, [...WORDS.slice(0, DIGITS.length + 5), ...WORDS]);
    const quoted = found.startsWith('"') && random() < 0.7;
    const wrapped = quoted ? Buffer.concat([Buffer.from('"'), word, Buffer.from('"')]) : word;
    return splice(bytes, index, index + found.length, wrapped);
  },
  // A line away, or twice.
  (random, bytes) => {
    const lines = bytes.toString("latin1").split("\n");
    const at = below(random, lines.length);
    lines.splice(at, below(random, 2), ...(random() < 0.5 ? [one(random, lines)] : []));
    return Buffer.from(lines.join("\n"), "latin1");
  },
  (random, bytes) =>
    Buffer.concat([
      Buffer.from(one(random, ["[", '{"a":']).repeat(1 + below(random, 3_000))),
      bytes,
    ]),
  (random) => Buffer.from(Array.from({ length: below(random, 64) }, () => below(random, 256))),
];

/** A sample, changed a few times. Never longer than `most` bytes. */
export const mutated = (random: Random, samples: readonly Buffer[], most: number): Buffer => {
  let bytes = one(random, samples);
  for (let times = 1 + below(random, 4); times > 0; times -= 1)
    bytes = one(random, MUTATIONS)(random, bytes, one(random, samples)).subarray(0, most);
  return bytes;
};

/** A piece that is said again and again between a beginning and an end: what makes searches slow. */
export type Pump = { readonly head: Buffer; readonly piece: Buffer; readonly tail: Buffer };

export const pump = (
  random: Random,
  samples: readonly Buffer[],
  words: readonly string[],
): Pump => {
  const sample = one(random, samples);
  const [from, to] = span(random, sample);
  const own = words.map((word) => Buffer.from(word));
  const cut = below(random, sample.length + 1);
  const pieces = [
    sample.subarray(from, to),
    one(random, WORDS),
    ...(own.length === 0 ? [] : [one(random, own), one(random, own)]),
  ];
  const filled = pieces.filter(({ length }) => length > 0);
  const ends = [
    Buffer.alloc(0),
    sample.subarray(0, cut),
    ...(own.length === 0 ? [] : [one(random, own)]),
  ];
  return {
    head: one(random, ends),
    piece: filled.length === 0 ? Buffer.from("a") : one(random, filled),
    tail: one(random, [Buffer.alloc(0), sample.subarray(cut), Buffer.from("\n"), Buffer.from("!")]),
  };
};

export const pumped = ({ head, piece, tail }: Pump, bytes: number): Buffer => {
  const times = Math.max(1, Math.floor((bytes - head.length - tail.length) / piece.length));
  return Buffer.concat([head, Buffer.alloc(times * piece.length, piece), tail]);
};
