import type { Finding } from "./engine.ts";

/** Bytes as they can be pasted into a test. */
const source = (bytes: Buffer): string => {
  const text = bytes.toString("utf8");
  if (!Buffer.from(text).equals(bytes)) return `Buffer.from("${bytes.toString("hex")}", "hex")`;
  const shown = JSON.stringify(text).replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (found) =>
    found
      .split("")
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
      .join(""),
  );
  return `Buffer.from(${shown})`;
};

/** What to say of one, with the input as a line of a regression test. */
export const findingLines = ({ target, input, why, pump }: Finding): string[] => [
  `${target}: ${JSON.stringify(why.slice(0, 600)).slice(1, -1)}`,
  pump === undefined
    ? `  ${source(input)}`
    : `  Buffer.concat([${source(pump.head)}, Buffer.alloc(65_536, ${source(pump.piece)}), ${source(pump.tail)}])`,
];
