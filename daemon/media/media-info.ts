/** What StreamBro plays of a file: its first video track and its first audio track, nothing else. */
export type MediaInfo = {
  /** FFmpeg's name of the demuxer, such as `mov,mp4,m4a,3gp,3g2,mj2`. */
  readonly container: string;
  readonly durationMs: number;
  /** Where the file's own clock begins; every position is an offset from here. */
  readonly startMs: number;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly video: {
    /** Its number in the file, for `-map 0:N`: a cover picture may come before the film. */
    readonly index: number;
    readonly codec: string;
    readonly width: number;
    readonly height: number;
    readonly frameMs: number;
    /** Longest that a frame is sent ahead of its turn to be shown. */
    readonly reorderMs: number;
  };
  readonly audio: {
    readonly index: number;
    readonly codec: string;
    readonly frameMs: number;
    readonly sampleRate: number;
    readonly channels: number;
  } | null;
  /** End of the later of the two tracks. */
  readonly longestTrackMs: number;
  /** What a pass begins with, against the file's beginning: less than 0 after an edit list's cut. */
  readonly headMs: number;
  /**
   * Shortest pass after which the next one's first packets do not step back in time: more than
   * `longestTrackMs` where a file holds pictures from before its beginning, cut off by an edit list.
   */
  readonly leastPassMs: number;
  /** While both tracks play: outside it the muxer holds one back, waiting for the other. */
  readonly shared: { readonly fromMs: number; readonly toMs: number };
  /** Furthest that one track runs ahead of the other in the order in which the file is read. */
  readonly skewMs: number;
};
