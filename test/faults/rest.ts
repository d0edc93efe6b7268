import { type Census, censusOf, descriptorKinds, filesBelow } from "../soak/census.ts";
import type { Stage } from "./stage.ts";

/** The daemon when every stream is on the air and nothing is being done to any. */
export type Rest = Pick<Census, "rss" | "descriptors"> & {
  readonly atMs: number;
  readonly pid: number;
  readonly files: number;
  readonly kinds: Readonly<Record<string, number>>;
};

const LOOKS = 8;
const LOOK_MS = 150;

/** More than at the first rest than this, in descriptors and bytes, is growth. */
const MOST_DESCRIPTORS = 6;
const MOST_RSS = 48 * 1_048_576;

export const lookAtRest = async (stage: Stage, atMs: number): Promise<Rest | null> => {
  const { daemon } = stage;
  let least: Rest | null = null;
  for (let look = 0; look < LOOKS; look += 1) {
    const census = censusOf(daemon.pid());
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (census === null || (least !== null && census.descriptors >= least.descriptors)) continue;
    const { rss, descriptors } = census;
    const files = filesBelow(daemon.stateDir, daemon.runtimeDir).length;
    least = {
      ...{ atMs, rss, descriptors, files, pid: daemon.pid() },
      kinds: descriptorKinds(daemon.pid()),
    };
  }
  return least;
};

/** Breaks `no-growth` where a rest has much more than the first. */
export const compareRests = ({ violations }: Stage, first: Rest, now: Rest): void => {
  const more = now.descriptors - first.descriptors;
  if (more > MOST_DESCRIPTORS) {
    const added = Object.entries(now.kinds)
      .filter(([kind, count]) => count > (first.kinds[kind] ?? 0))
      .map(([kind, count]) => `${kind}: ${first.kinds[kind] ?? 0} to ${count}`);
    violations.broken("no-growth", `${more} descriptors more than at first: ${added.join(", ")}`);
  }
  const bytes = now.rss - first.rss;
  if (bytes > MOST_RSS)
    violations.broken(
      "no-growth",
      `${(bytes / 1_048_576).toFixed(0)} MB more than at first`,
      `rss ${now.pid}`,
    );
};

/** Every stream is there, and wanted on the air. */
export const compareStreams = async ({ daemon, targets, violations }: Stage): Promise<void> => {
  const { streams } = await daemon.rpc("stream.status", {});
  for (const { name } of targets) {
    const found = streams.find((stream) => stream.name === name);
    if (found === undefined) violations.broken("state-kept", `${name} is lost`);
    else if (found.desired !== "running")
      violations.broken("state-kept", `${name} is wanted ${found.desired}`);
  }
};
