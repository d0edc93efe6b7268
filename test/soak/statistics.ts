/** A value and when it was seen, in milliseconds since the beginning. */
export type Sample = { readonly atMs: number; readonly value: number };

/** NaN of nothing. */
export const quantile = (values: readonly number[], part: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  if (low === undefined || high === undefined) return Number.NaN;
  return low + (high - low) * (place - Math.floor(place));
};

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Change of the value in a millisecond by least squares; 0 of fewer than two samples. */
const slope = (samples: readonly Sample[]): number => {
  const mean = (of: (sample: Sample) => number): number =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [at, value] = [mean(({ atMs }) => atMs), mean(({ value }) => value)];
  const spread = samples.reduce((sum, { atMs }) => sum + (atMs - at) ** 2, 0);
  const together = samples.reduce((sum, one) => sum + (one.atMs - at) * (one.value - value), 0);
  return spread === 0 ? 0 : together / spread;
};

export type Growth = {
  /** Median of the last tenth less that of the first tenth. */
  readonly ends: number;
  /** What the line of least squares rises by from the first sample to the last. */
  readonly line: number;
};

/** How much a value has grown over the samples. A collector's comings and goings are evened out. */
export const growth = (samples: readonly Sample[]): Growth => {
  const tenth = Math.max(1, Math.floor(samples.length / 10));
  const middle = (some: readonly Sample[]): number => median(some.map(({ value }) => value));
  const lasting = (samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0);
  return {
    ends: middle(samples.slice(-tenth)) - middle(samples.slice(0, tenth)),
    line: slope(samples) * lasting,
  };
};

/** Those of the second half of the time. */
export const secondHalf = (samples: readonly Sample[]): readonly Sample[] => {
  const first = samples[0]?.atMs ?? 0;
  const last = samples.at(-1)?.atMs ?? 0;
  return samples.filter(({ atMs }) => atMs >= (first + last) / 2);
};

/** The median of the twentieth of all samples around a part of the time. */
export const around = (samples: readonly Sample[], part: number): number => {
  const wide = Math.max(1, Math.round(samples.length / 20));
  const from = Math.round((samples.length - wide) * part);
  return median(samples.slice(from, from + wide).map(({ value }) => value));
};
