import type { LiveSettings } from "../config/live.ts";
import type { Log } from "../log/log.ts";
import { ffmpegVersion } from "./version.ts";

/** The FFmpeg that streams are started with: looked for at the start, and when another one is set. */
export class InstalledFfmpeg {
  version: string | null = null;
  /** Sentences for the operator. */
  warnings: readonly string[] = [];
  readonly #settings: Pick<LiveSettings, "current" | "onChange">;
  readonly #log: Log;

  constructor(settings: Pick<LiveSettings, "current" | "onChange">, log: Log) {
    this.#settings = settings;
    this.#log = log;
    void this.#look();
    settings.onChange((now, before) => {
      if (now.FFMPEG_PATH !== before.FFMPEG_PATH) void this.#look();
    });
  }

  async #look(): Promise<void> {
    const command = this.#settings.current().FFMPEG_PATH;
    const found = await ffmpegVersion(command);
    // Another one was set meanwhile, and is looked at by itself.
    if (command !== this.#settings.current().FFMPEG_PATH) return;
    this.version = found;
    const warning = `${command} cannot be run: install ffmpeg, or set FFMPEG_PATH. No stream can start until then.`;
    this.warnings = found === null ? [warning] : [];
    for (const sentence of this.warnings) this.#log.warn({ event: "start-up" }, sentence);
  }
}
