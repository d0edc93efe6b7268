import { setTimeout as after } from "node:timers/promises";
import { censusOf, childrenOf, descriptorKinds, ffmpegsOf, filesBelow } from "./census.ts";
import type { HeapLook } from "./heap.ts";
import type { Sample } from "./statistics.ts";

/** What is watched over time; memory in bytes. */
export const SERIES = ["rss", "pss", "anonymous", "descriptors", "ffmpegs", "files"] as const;
export type Series = Readonly<Record<(typeof SERIES)[number], Sample[]>>;

export const newSeries = (): Series => ({
  ...{ rss: [], pss: [], anonymous: [], descriptors: [], ffmpegs: [], files: [] },
});

/** The places that belong to one daemon. */
export type Watched = {
  readonly pid: () => number;
  readonly dir: string;
  readonly directories: readonly string[];
};

/** Adds one sample to each series. */
export const take = (series: Series, { pid, dir, directories }: Watched, atMs: number): void => {
  const census = censusOf(pid());
  if (census === null) return;
  const { rss, pss, anonymous, descriptors } = census;
  const values = { rss, pss, anonymous, descriptors };
  const counted = { ffmpegs: ffmpegsOf(dir), files: filesBelow(...directories).length };
  for (const name of SERIES) series[name].push({ atMs, value: { ...values, ...counted }[name] });
};

/** The daemon when nothing cycles. */
export type Rest = {
  readonly atMs: number;
  readonly rss: number;
  readonly descriptors: number;
  /** What the descriptors lead to. */
  readonly kinds: Readonly<Record<string, number>>;
  readonly children: number;
  readonly zombies: number;
  readonly ffmpegs: number;
  readonly files: number;
  /** Bytes that a collection leaves of the heap; null where none was asked for. */
  readonly heap: number | null;
};

type Numbers = Omit<Rest, "heap" | "kinds">;

const LOOKS = 12;
const LOOK_MS = 200;

/** The least of several looks: a look at the sockets or at a socket's client comes and goes. */
export const atRest = async (
  watched: Watched,
  atMs: number,
  heap: HeapLook | null,
): Promise<Rest> => {
  const collected = (await heap?.collected())?.bytes ?? null;
  const looks: Numbers[] = [];
  let kinds: Rest["kinds"] = {};
  for (let look = 0; look < LOOKS; look += 1) {
    const census = censusOf(watched.pid());
    const { living, zombies } = childrenOf(watched.pid());
    const descriptors = census?.descriptors ?? 0;
    if (looks.every((one) => one.descriptors > descriptors)) kinds = descriptorKinds(watched.pid());
    looks.push({
      ...{ atMs, children: living, zombies, ffmpegs: ffmpegsOf(watched.dir) },
      ...{ rss: census?.rss ?? 0, descriptors },
      files: filesBelow(...watched.directories).length,
    });
    await after(LOOK_MS);
  }
  const least = (name: keyof Numbers): number => Math.min(...looks.map((look) => look[name]));
  return {
    ...{ atMs, children: least("children"), zombies: least("zombies"), rss: least("rss") },
    ...{ descriptors: least("descriptors"), ffmpegs: least("ffmpegs"), files: least("files") },
    ...{ heap: collected, kinds },
  };
};
