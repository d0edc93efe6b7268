import type { Registry } from "./registry.ts";

/** Whose a stream is, one that is left alone too; null where there is none of that name. */
export const ownerOf = (
  { streams, leftAlone }: Pick<Registry, "streams" | "leftAlone">,
  name: string,
): string | null => leftAlone.ownerOf(name) ?? streams.get(name)?.spec.owner ?? null;
