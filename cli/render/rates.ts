/** `812 kb/s`, `4.1 Mb/s`; "-" where unknown. */
export const bitrate = (kbps: number | null): string => {
  if (kbps === null) return "-";
  return kbps < 999.5 ? `${Math.round(kbps)} kb/s` : `${(kbps / 1000).toFixed(1)} Mb/s`;
};

/** `1.00x`; "-" where unknown. */
export const speed = (ratio: number | null): string =>
  ratio === null ? "-" : `${ratio.toFixed(2)}x`;

/** `25`, `29.97`; "-" where unknown. */
export const frameRate = (fps: number | null): string =>
  fps === null ? "-" : String(Math.round(fps * 100) / 100);

/** `0.8%`, `93%`; "-" where unknown. */
export const percent = (value: number | null): string =>
  value === null ? "-" : `${value < 9.95 ? value.toFixed(1) : Math.round(value)}%`;

const MIB = 1_048_576;

/** `19 MB`, `1.2 GB`, in powers of 1024 as the thresholds are; "-" where unknown. */
export const bytes = (count: number | null): string => {
  if (count === null) return "-";
  const mib = count / MIB;
  return mib < 999.5 ? `${Math.round(mib)} MB` : `${(mib / 1024).toFixed(1)} GB`;
};
