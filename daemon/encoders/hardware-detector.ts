import type { Encoders } from "../../shared/contract/daemon.ts";
import type { Settings } from "../config/settings.ts";
import { versionIn } from "../ffmpeg/version.ts";
import { messageOf } from "../log/message-of.ts";
import type { Log } from "../log/log.ts";
import { runBounded } from "../media/bounded.ts";
import { SOFTWARE, candidateOf } from "./candidates.ts";
import { type Chosen, type EncoderSource, chooseEncoder, preferredOf } from "./choice.ts";
import { digestOfTrials } from "./trial.ts";
import { type Detection, detect } from "./detection.ts";
import { readDevices } from "./devices.ts";
import { type Circumstances, type Memo, isSame, readMemo, writeMemo } from "./memo.ts";
import { findProgram } from "./program.ts";
import { summaryOf } from "./summary.ts";

export type Surroundings = {
  readonly settings: () => Settings;
  /** Where what was found is kept. */
  readonly file: string;
  readonly log: Log;
  /** Where FFmpeg is looked for: PATH. */
  readonly searchPath: string;
  /** In place of /dev. */
  readonly dev?: string;
  /** How long a detection may take, whatever FFmpeg does. */
  readonly withinMs?: number;
};

const WITHIN_MS = 10_000;
/** How long it is believed that nothing can encode, where FFmpeg merely did not answer in time. */
const DOUBTFUL_MS = 30_000;

/** What was found; `until` is a time of `performance.now`. */
type Known = {
  readonly memo: Memo;
  readonly until: number;
  readonly isSoftwareUnheard: boolean;
};

/**
 * Finds out which encoders work on this machine, by encoding with each. One detection at a time: whoever
 * asks meanwhile gets its result. A result counts until FFmpeg or a device changes.
 */
export class HardwareDetector implements EncoderSource {
  readonly #around: Surroundings;
  readonly #withinMs: number;
  readonly #ending = new AbortController();
  #known: Known | null = null;
  #underWay: { readonly tries: boolean; readonly result: Promise<Memo> } | null = null;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#withinMs = around.withinMs ?? WITHIN_MS;
  }

  /** What works here, tried out at the first call; `refresh` tries again whatever is known. */
  async detectEncoders(refresh = false): Promise<Encoders> {
    const { encoders, ffmpeg, at } = await this.#ask(refresh);
    const works = (name: string): boolean => encoders.some((one) => one.name === name && one.works);
    return {
      version: 1,
      nvidia: works("h264_nvenc"),
      intelQSV: works("h264_qsv"),
      appleVT: works("h264_videotoolbox"),
      preferred: preferredOf(encoders, this.#around.settings()).name,
      fallback: SOFTWARE,
      ...{ encoders, ffmpeg, at },
    };
  }

  /** The encoder that a stream gets which asks for none, as far as is known now. */
  getEncoder(): string {
    return preferredOf(this.#known?.memo.encoders ?? [], this.#around.settings()).name;
  }

  /** The preset that an encoder runs with unless a stream names one; empty where it takes none. */
  getPreset(encoder: string): string {
    return candidateOf(encoder)?.preset?.own ?? "";
  }

  async choose(asked: string | null, softwareOnly: boolean): Promise<Chosen> {
    const { encoders } = await this.#ask(false);
    // What was not heard in time is no reason to stay off the air: the stream itself tries it.
    const believed =
      this.#known?.isSoftwareUnheard === true
        ? encoders.map((one) => (one.name === SOFTWARE ? { ...one, works: true } : one))
        : encoders;
    return chooseEncoder(believed, this.#around.settings(), asked, softwareOnly);
  }

  /** Gives up what is under way. */
  stop(): void {
    this.#ending.abort();
  }

  async #ask(refresh: boolean): Promise<Memo> {
    const before = this.#underWay;
    if (before !== null && (before.tries || !refresh)) return before.result;
    const result = (async (): Promise<Memo> => {
      await before?.result;
      return this.#find(refresh);
    })().finally(() => {
      if (this.#underWay?.result === result) this.#underWay = null;
    });
    this.#underWay = { tries: refresh, result };
    return result;
  }

  async #find(refresh: boolean): Promise<Memo> {
    const { settings, searchPath, dev, file } = this.#around;
    const { FFMPEG_PATH: command, HARDWARE_ENCODING_ENABLED: hardware } = settings();
    const [program, devices] = await Promise.all([
      findProgram(command, searchPath),
      readDevices(dev),
    ]);
    const trials = digestOfTrials();
    const circumstances: Circumstances = { program, devices: [...devices], hardware, trials };
    const known = this.#known;
    const started = performance.now();
    if (!refresh && known !== null && started < known.until) {
      if (isSame(known.memo.circumstances, circumstances)) return known.memo;
    }
    const ffmpeg = await this.#version(command);
    const kept = refresh || ffmpeg === null ? null : await readMemo(file);
    if (kept?.ffmpeg === ffmpeg && isSame(kept.circumstances, circumstances)) {
      this.#known = { memo: kept, until: Infinity, isSoftwareUnheard: false };
      this.#tell(kept, true, "as found before");
      return kept;
    }
    // Where this daemon was suspended meanwhile, the time is over and nothing was tried yet.
    const left = Math.max(this.#withinMs / 3, this.#withinMs - (performance.now() - started));
    const { signal } = this.#ending;
    const found = await detect({ ffmpeg: command, devices, hardware, withinMs: left, signal });
    const at = new Date().toISOString();
    const encoders = [...found.encoders];
    const memo: Memo = { version: 1, circumstances, ffmpeg, at, encoders };
    await this.#keep(memo, found);
    const ms = Math.round(performance.now() - started);
    this.#tell(memo, found.complete, `tried in ${ms} ms`);
    return memo;
  }

  async #version(command: string): Promise<string | null> {
    const ended = await runBounded("encoders", [command, "-version"], {
      withinMs: this.#withinMs / 3,
      mostBytes: 65_536,
      signal: this.#ending.signal,
    });
    return ended.exitCode === 0 ? versionIn(ended.stdout.toString("utf8")) : null;
  }

  async #keep(memo: Memo, { complete, isSoftwareUnheard }: Detection): Promise<void> {
    // A driver that always hangs must not cost every stream ten seconds, as long as software works.
    const software = memo.encoders.some(({ name, works }) => name === SOFTWARE && works);
    const until = software ? Infinity : performance.now() + DOUBTFUL_MS;
    this.#known = { memo, until, isSoftwareUnheard };
    // What was too slow this once must not count for months, nor that nothing can encode.
    if (!complete || !software || memo.ffmpeg === null || this.#ending.signal.aborted) return;
    try {
      await writeMemo(this.#around.file, memo);
    } catch (error) {
      const sentence = `${this.#around.file} cannot be written: ${messageOf(error)}. The next start tries the encoders again.`;
      this.#around.log.warn({ event: "encoders" }, sentence);
    }
  }

  #tell(memo: Memo, complete: boolean, how: string): void {
    if (this.#ending.signal.aborted) return;
    const { log, settings } = this.#around;
    const { level, fields, sentence } = summaryOf(memo, settings(), complete, how);
    log[level](fields, sentence);
  }
}
