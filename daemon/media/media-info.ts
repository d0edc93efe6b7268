import { z } from "zod";

/** What StreamBro plays of a file: one video track and one audio track, nothing else. */
export const MediaInfo = z.object({
  /** FFmpeg's name of the demuxer, such as `mov,mp4,m4a,3gp,3g2,mj2`. */
  container: z.string(),
  durationMs: z.number(),
  /** Where the file's own clock begins; every position is an offset from here. */
  startMs: z.number(),
  sizeBytes: z.number(),
  mtimeMs: z.number(),
  video: z.object({
    /** Its number in the file, for `-map 0:N`: a cover picture may come before the film. */
    index: z.number(),
    codec: z.string(),
    width: z.number(),
    height: z.number(),
    frameMs: z.number(),
    /** Longest that a frame is sent ahead of its turn to be shown. */
    reorderMs: z.number(),
    /** Degrees that a player turns it clockwise: 0, 90, 180, 270; null where nobody had looked. */
    rotation: z.number().nullable().default(null),
    /** Its frames are made of two fields, one after the other. */
    interlaced: z.boolean().default(false),
    /** FFmpeg's name of how its points are kept, such as `yuv420p`; null where nobody had looked. */
    pixelFormat: z.string().nullable().default(null),
    /** Width of a point against its height. */
    pixelAspect: z.number().default(1),
  }),
  audio: z
    .object({
      index: z.number(),
      codec: z.string(),
      frameMs: z.number(),
      sampleRate: z.number(),
      channels: z.number(),
    })
    .nullable(),
  /** End of the later of the two tracks. */
  longestTrackMs: z.number(),
  /** What a pass begins with, against the file's beginning: less than 0 after an edit list's cut. */
  headMs: z.number(),
  /**
   * Shortest pass after which the next one's first packets do not step back in time: more than
   * `longestTrackMs` where a file holds pictures from before its beginning, cut off by an edit list.
   */
  leastPassMs: z.number(),
  /** While both tracks play: outside it the muxer holds one back, waiting for the other. */
  shared: z.object({ fromMs: z.number(), toMs: z.number() }),
  /** Furthest that one track runs ahead of the other in the order in which the file is read. */
  skewMs: z.number(),
});

export type MediaInfo = z.infer<typeof MediaInfo>;
