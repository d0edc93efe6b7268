import { StreamBroError } from "../../shared/errors.ts";
import type { Params } from "../../shared/contract/methods.ts";
import { Encoding } from "../../shared/contract/spec.ts";
import type { Wish } from "../media/track-plan.ts";

type Given = Pick<Params<"stream.set">, "mode" | "encoding">;

/** What the fields are called where people give them. */
const OPTIONS: readonly (readonly [option: string, fields: readonly (keyof Encoding)[]])[] = [
  ["--size", ["width", "height"]],
  ["--fps", ["fps"]],
  ["--video-bitrate", ["videoKbps"]],
  ["--audio-bitrate", ["audioKbps"]],
  ["--preset", ["preset"]],
  ["--encoder", ["encoder"]],
];
/** What a film is like, and not only how its tracks are encoded: a copied picture cannot change it. */
const OF_THE_PICTURE = ["--size", "--fps"];

/**
 * How the tracks are to be treated, with what was given; what is not mentioned stays as it is. Errors:
 * INVALID_SPEC where it makes no sense together.
 */
export const wishOf = (before: Wish, given: Given, refusal: string): Wish => {
  const changes = Object.entries(given.encoding ?? {}).filter(([, value]) => value !== undefined);
  const mode = given.mode ?? before.mode;
  const encoding = Encoding.parse({ ...before.encoding, ...Object.fromEntries(changes) });
  const refuse = (why: string): never => {
    throw new StreamBroError("INVALID_SPEC", `${refusal}: ${why}`);
  };
  if ((encoding.width === null) !== (encoding.height === null))
    refuse("a size is a width and a height: give both.");
  const set = OPTIONS.filter(([, fields]) => fields.some((field) => encoding[field] !== null));
  const options = set.map(([option]) => option);
  const useless = options.filter((option) => mode === "copy" || OF_THE_PICTURE.includes(option));
  if (mode !== "encode" && useless.length > 0) {
    const drop = useless.map((option) => `${option} default`).join(" ");
    const why =
      mode === "copy"
        ? "--mode copy encodes nothing"
        : "--mode auto copies a picture as it is, where it can";
    refuse(
      `${useless.join(", ")} ${useless.length === 1 ? "needs" : "need"} --mode encode${
        mode === "copy" ? " or auto" : ""
      }: ${why}. Give another --mode, or drop what is set with: ${drop}`,
    );
  }
  return { mode, encoding };
};
