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
