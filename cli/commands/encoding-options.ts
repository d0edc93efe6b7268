import { InvalidArgumentError, Option } from "commander";
import type { Command } from "commander";
import type { BreachAction, Encoding, Mode } from "../../shared/contract/spec.ts";

type Size = { readonly width: number; readonly height: number };

/** StreamBro's own choice; null in the contract, which commander would take for a value left out. */
type Own = "default";

/** As read from the command line. */
export type EncodingOptions = {
  readonly mode?: Mode;
  readonly size?: Size | Own;
  readonly fps?: number | Own;
  readonly videoBitrate?: number | Own;
  readonly audioBitrate?: number | Own;
  readonly preset?: string;
  readonly encoder?: string;
  readonly onResourceBreach?: BreachAction;
};

/** The fields of a spec that were given, as the contract has them. */
export type EncodingFields = {
  mode?: Mode;
  encoding?: Partial<Encoding>;
  onResourceBreach?: BreachAction;
};

const MODES: readonly Mode[] = ["auto", "copy", "encode"];
const BREACH_ACTIONS: readonly BreachAction[] = ["warn", "restart", "stop"];

export const ENCODING_HELP =
  "Modes: auto copies every track that the container can carry and encodes the rest, and adds\n" +
  "silence where there is no sound; copy copies all or refuses; encode encodes all, at a constant\n" +
  "bit rate. --size and --fps need --mode encode; the other values count in auto too, where a\n" +
  'track is encoded. "default" goes back to StreamBro\'s own choice. Bit rates: 2500k, 2.5M, or\n' +
  "a plain number of kbit/s.";

export const addEncodingOptions = (command: Command): Command =>
  command
    .addOption(new Option("--mode <mode>", "what becomes of the tracks").choices(MODES))
    .option("--size <WxH>", "of the picture, which is fitted in: 1280x720", orDefault(size))
    .option("--fps <rate>", "frames a second: 30, 29.97", orDefault(fps))
    .option("--video-bitrate <rate>", "of the picture", orDefault(kbps(50, 100_000)))
    .option("--audio-bitrate <rate>", "of the sound", orDefault(kbps(16, 512)))
    .option("--preset <name>", "in the encoder's own words: veryfast", orDefault(word))
    .option("--encoder <name>", "FFmpeg's name: libx264, h264_nvenc", orDefault(word))
    .addOption(
      new Option(
        "--on-resource-breach <action>",
        "what to do when it uses too much CPU or memory for long",
      ).choices(BREACH_ACTIONS),
    );

export const encodingFields = (options: EncodingOptions): EncodingFields => {
  const { mode, size: wanted, onResourceBreach } = options;
  const { fps: rate, videoBitrate, audioBitrate, preset, encoder } = options;
  const encoding: Partial<Encoding> = {
    ...(wanted === undefined ? {} : wanted === "default" ? NO_SIZE : wanted),
    ...(rate === undefined ? {} : { fps: orNull(rate) }),
    ...(videoBitrate === undefined ? {} : { videoKbps: orNull(videoBitrate) }),
    ...(audioBitrate === undefined ? {} : { audioKbps: orNull(audioBitrate) }),
    ...(preset === undefined ? {} : { preset: orNull(preset) }),
    ...(encoder === undefined ? {} : { encoder: orNull(encoder) }),
  };
  return {
    ...(mode === undefined ? {} : { mode }),
    ...(Object.keys(encoding).length === 0 ? {} : { encoding }),
    ...(onResourceBreach === undefined ? {} : { onResourceBreach }),
  };
};

const NO_SIZE = { width: null, height: null };

const orNull = <T>(value: T | Own): T | null => (value === "default" ? null : value);

const orDefault =
  <T>(read: (text: string) => T) =>
  (text: string): T | Own =>
    text === "default" ? text : read(text);

const size = (text: string): Size => {
  const [, width = 0, height = 0] = (/^(\d{2,4})x(\d{2,4})$/.exec(text) ?? []).map(Number);
  const fits = (length: number, most: number): boolean =>
    length >= 16 && length <= most && length % 2 === 0;
  if (!fits(width, 7680) || !fits(height, 4320))
    throw new InvalidArgumentError(
      "Use WIDTHxHEIGHT, such as 1280x720: even numbers from 16x16 to 7680x4320.",
    );
  return { width, height };
};

const fps = (text: string): number => {
  const [, up = "", down = "1"] = /^(\d+(?:\.\d+)?)(?:\/(\d+))?$/.exec(text) ?? [];
  const rate = up === "" ? Number.NaN : Number(up) / Number(down);
  if (!(rate >= 1 && rate <= 120))
    throw new InvalidArgumentError("Use frames a second from 1 to 120: 25, 29.97 or 30000/1001.");
  return rate;
};

const kbps =
  (least: number, most: number) =>
  (text: string): number => {
    const [, figures = "", unit = ""] = /^(\d+(?:\.\d+)?)([kKmM]?)$/.exec(text) ?? [];
    const rate = Math.round(Number(figures) * (unit.toLowerCase() === "m" ? 1000 : 1));
    if (figures === "" || !(rate >= least && rate <= most))
      throw new InvalidArgumentError(
        `Use 2500k, 2.5M or a plain number of kbit/s, from ${least}k to ${most}k.`,
      );
    return rate;
  };

const word = (text: string): string => {
  if (!/^[a-z0-9_]{1,32}$/.test(text))
    throw new InvalidArgumentError("Use one word of small letters, figures and underscores.");
  return text;
};
