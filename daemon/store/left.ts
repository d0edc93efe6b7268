import type { Newer, Unread } from "./records.ts";
import type { SpecRecord } from "./schemas.ts";
import type { KeysTrouble, OutputSecrets } from "./secrets.ts";

/**
 * A stream of which a file cannot be read just now, or only by a newer release. Nothing of it is started,
 * written or removed.
 */
export type LeftStream = {
  readonly name: string;
  /** The file that is not understood. */
  readonly file: string;
  readonly isNewer: boolean;
  readonly why: string;
  /** What the specification's file says, as far as it is JSON; not parsed against anything. */
  readonly said: unknown;
  readonly secrets: OutputSecrets | null;
};

type Found = {
  readonly specs: ReadonlyMap<string, SpecRecord>;
  readonly unreadSpecs: readonly Unread[];
  readonly newerSpecs: readonly Newer[];
  readonly newerMemories: readonly Newer[];
  readonly keys: readonly KeysTrouble[];
};

/** Which streams are left alone, by name: one file of them is enough. */
export const leftStreams = (
  { specs, unreadSpecs, newerSpecs, newerMemories, keys }: Found,
  secretsOf: (name: string, revision: unknown) => OutputSecrets | null,
): Map<string, LeftStream> => {
  const left = (one: Unread, isNewer: boolean, said: unknown): [string, LeftStream] => {
    const { name, file, why } = one;
    const revision = typeof said === "object" && said !== null && "keys" in said ? said.keys : null;
    return [name, { name, file, isNewer, why, said, secrets: secretsOf(name, revision) }];
  };
  const known = (one: Unread): boolean => specs.has(one.name);
  return new Map([
    ...unreadSpecs.map((one) => left(one, false, null)),
    ...keys
      .filter(({ is }) => is !== "bad")
      .map((one) => left(one, one.is === "newer", specs.get(one.name))),
    ...newerMemories.filter(known).map((one) => left(one, true, specs.get(one.name))),
    ...newerSpecs.map((one) => left(one, true, one.raw)),
  ]);
};
