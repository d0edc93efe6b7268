import path from "node:path";
import { StreamBroError } from "../../shared/errors.ts";
import type { Encoding, StreamSpec } from "../../shared/contract/spec.ts";
import { parseDestination } from "../destination/destination.ts";
import type { Destination } from "../destination/parted.ts";
import type { EncoderChoice } from "../encoders/choice.ts";
import { presetMisfit } from "../encoders/presets.ts";
import type { Remember } from "../history/remember.ts";
import type { Owners } from "./owner.ts";
import type { Clock } from "../clock/clock.ts";
import type { Reach } from "../reach/reach.ts";
import type { Registry } from "../registry/registry.ts";
import type { Store } from "../store/store.ts";
import { examineInTurn } from "../supervisor/examine-in-turn.ts";
import type { Examined, Means, Request } from "../supervisor/examine.ts";
import type { StartGate } from "../supervisor/start-gate.ts";

/** What adding and changing need. */
export type Editing = Means & {
  readonly reach: Reach;
  readonly registry: Registry;
  readonly store: Store;
  readonly owners: Owners;
  /** Told of each change that was made. */
  readonly edited: Remember["edited"];
  /** Streams that one user may have registered. */
  readonly mostRegistered: () => number;
  readonly starts: StartGate;
  readonly clock: Clock;
};

export const outputOf = ({ url, secrets }: Destination): StreamSpec["outputs"][number] => ({
  url,
  hasKey: Object.keys(secrets).length > 0,
});

export const destinationOf = (
  to: string,
  key: string | undefined,
  refusal: string,
): Destination => {
  const parsed = parseDestination(to, key);
  if (!parsed.ok)
    throw new StreamBroError("INVALID_SPEC", `${refusal}: ${lowered(parsed.message)}`);
  return parsed.destination;
};

export const absolute = (input: string, refusal: string): string => {
  if (!path.isAbsolute(input)) {
    throw new StreamBroError(
      "INVALID_SPEC",
      `${refusal}: the input must be a file's absolute path.`,
    );
  }
  if (input.includes("\0"))
    throw new StreamBroError("INVALID_SPEC", `${refusal}: the input's path has a zero byte in it.`);
  return path.normalize(input);
};

/** An input that can be played as it is wanted. */
export type Playable = Extract<Examined, { ok: true }>;

/** Errors: INPUT_UNUSABLE, INVALID_SPEC where it is the encoder or its preset. */
export const playableOf = async (
  request: Request,
  means: Pick<Editing, keyof Means | "starts">,
  refusal: string,
): Promise<Playable> => {
  const examined = await examineInTurn(request, means, null);
  if (!examined.ok) {
    const { reason, message } = examined.failure;
    const code = reason === "encoder-failed" ? "INVALID_SPEC" : "INPUT_UNUSABLE";
    throw new StreamBroError(code, `${refusal}: ${message}`);
  }
  const misfit = await encoderMisfit(request.encoding, examined.encoder, means);
  if (misfit !== null) throw new StreamBroError("INVALID_SPEC", `${refusal}: ${misfit}`);
  return examined;
};

/**
 * What is wrong with the encoder and the preset that were named, even where nothing is encoded just now;
 * null where nothing is.
 */
const encoderMisfit = async (
  { encoder: asked, preset }: Encoding,
  used: EncoderChoice | null,
  { encoders }: Means,
): Promise<string | null> => {
  if (asked === null && preset === null) return null;
  const chosen =
    used === null ? await encoders.choose(asked, false) : ({ ok: true, encoder: used } as const);
  if (!chosen.ok) return chosen.message;
  // Where software stands in for hardware, the preset is still the hardware's.
  const misfit = preset === null ? null : presetMisfit(asked ?? chosen.encoder.name, preset);
  return misfit === null ? null : `${misfit}.`;
};

const lowered = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);
