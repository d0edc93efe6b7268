/** Why the program that walks to an input does not open it, by its exit status. */
const STATUSES = {
  80: "forbidden",
  81: "closed",
  82: "directory",
  83: "special",
  84: "missing",
  85: "unreadable",
  86: "unjudged",
} as const;

/**
 * `forbidden`: the owner may not; `closed`: the owner may, the daemon's user may not; `unjudged`: it cannot
 * be told, as where an access list cannot be read.
 */
export type RefusedOpening = (typeof STATUSES)[keyof typeof STATUSES];

/** What is refused, and at which component of the path, a directory with a slash; its owner may see that one. */
export type Refusal = { readonly is: RefusedOpening; readonly at: string };

/** Nobody has said where. */
const NOWHERE = "";

export const statusOf = (is: RefusedOpening): number =>
  Number(Object.entries(STATUSES).find(([, word]) => word === is)?.[0]);

/** The one line on standard error. */
export const lineOf = ({ is, at }: Refusal): string =>
  `streambro-reach: ${is} ${JSON.stringify(at)}\n`;

/** Reads what the program said; null where it is not the program that has ended so. */
export const refusalOf = (exitCode: number | null, stderr: string): Refusal | null => {
  const is = STATUSES[exitCode as keyof typeof STATUSES];
  if (is === undefined) return null;
  const [, word, place] = /^streambro-reach: ([a-z]+) (".*")\n$/m.exec(stderr) ?? [];
  return { is, at: word === is && place !== undefined ? read(place) : NOWHERE };
};

const read = (text: string): string => {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === "string" ? found : NOWHERE;
  } catch {
    return NOWHERE;
  }
};
