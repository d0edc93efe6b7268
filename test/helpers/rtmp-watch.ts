import { setTimeout as after } from "node:timers/promises";
import type { RtmpStats, StreamStats } from "./rtmp-stats.ts";

/** From and to, as Date.now() gives them; `toMs` is null while it lasts. */
export type Span = { readonly fromMs: number; readonly toMs: number | null };

export type WatchedStream = {
  readonly name: string;
  readonly firstSeenMs: number;
  /** Most publishers that the server had at one moment. */
  readonly maxPublishers: number;
  /** When there was no publisher, from the first one on. */
  readonly absences: readonly Span[];
  /** Bytes received over all turns. */
  readonly bytesIn: number;
  /** False where the count fell, as it does when a new publisher takes over. */
  readonly monotonic: boolean;
  /** Longest time in which no byte came, in milliseconds. */
  readonly largestGapMs: number;
};

export type WatchReport = {
  readonly streams: readonly WatchedStream[];
  /** When the server did not answer: frozen or gone. Not counted as absences of a publisher. */
  readonly unanswered: readonly Span[];
  readonly samples: number;
};

export type Watch = {
  readonly report: () => WatchReport;
  readonly of: (name: string) => WatchedStream | undefined;
  /** Ends the watch and gives the last report. */
  readonly stop: () => Promise<WatchReport>;
};

type Entry = {
  readonly name: string;
  readonly firstSeenMs: number;
  maxPublishers: number;
  readonly absences: { fromMs: number; toMs: number | null }[];
  earlierBytes: number;
  bytes: number;
  monotonic: boolean;
  grewMs: number;
  largestGapMs: number;
};

const observe = (entry: Entry, stream: StreamStats | undefined, now: number): void => {
  const publishers = stream?.publishers ?? 0;
  const bytes = stream?.bytesIn ?? 0;
  entry.maxPublishers = Math.max(entry.maxPublishers, publishers);
  const absence = entry.absences.at(-1);
  if (publishers === 0 && absence?.toMs !== null) entry.absences.push({ fromMs: now, toMs: null });
  if (publishers > 0 && absence?.toMs === null) absence.toMs = now;
  if (bytes < entry.bytes) {
    entry.monotonic = false;
    entry.earlierBytes += entry.bytes;
  }
  const grew = bytes > entry.bytes || (bytes < entry.bytes && bytes > 0);
  entry.bytes = bytes;
  entry.largestGapMs = Math.max(entry.largestGapMs, now - entry.grewMs);
  if (grew) entry.grewMs = now;
};

/** Asks `stats` every `everyMs` until stopped, for every stream of application `app`. */
export const watch = (stats: () => Promise<RtmpStats>, app: string, everyMs: number): Watch => {
  const entries = new Map<string, Entry>();
  const unanswered: { fromMs: number; toMs: number | null }[] = [];
  const stopping = new AbortController();
  let samples = 0;

  const answered = ({ streams }: RtmpStats, now: number): void => {
    samples += 1;
    const silence = unanswered.at(-1);
    if (silence?.toMs === null) silence.toMs = now;
    const here = streams.filter((stream) => stream.app === app);
    for (const { name, publishers } of here) {
      if (publishers === 0 || entries.has(name)) continue;
      const fresh = { maxPublishers: 0, earlierBytes: 0, bytes: 0, monotonic: true };
      const times = { firstSeenMs: now, grewMs: now, largestGapMs: 0 };
      entries.set(name, { name, absences: [], ...fresh, ...times });
    }
    for (const entry of entries.values()) {
      observe(
        entry,
        here.find(({ name }) => name === entry.name),
        now,
      );
    }
  };

  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const asked = Date.now();
      try {
        const answer = await stats();
        answered(answer, Date.now());
      } catch {
        if (unanswered.at(-1)?.toMs !== null) unanswered.push({ fromMs: asked, toMs: null });
      }
      const left = Math.max(1, everyMs - (Date.now() - asked));
      await after(left, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
    }
  };
  const running = run();

  const report = (): WatchReport => ({
    samples,
    unanswered: structuredClone(unanswered),
    streams: [...entries.values()].map((entry) => ({
      name: entry.name,
      firstSeenMs: entry.firstSeenMs,
      maxPublishers: entry.maxPublishers,
      absences: structuredClone(entry.absences),
      bytesIn: entry.earlierBytes + entry.bytes,
      monotonic: entry.monotonic,
      largestGapMs: Math.max(entry.largestGapMs, Date.now() - entry.grewMs),
    })),
  });
  return {
    report,
    of: (name) => report().streams.find((stream) => stream.name === name),
    stop: async () => {
      stopping.abort();
      await running;
      return report();
    },
  };
};
