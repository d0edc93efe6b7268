import type { Params } from "../../shared/contract/methods.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Relay } from "./relay.ts";
import type { SrtReceiver } from "./srt-receiver.ts";

/** `copy` and `silence` (a film without sound) cost next to nothing; `encode` uses libx264. */
export type Kind = "copy" | "silence" | "encode" | "srt";

/** A stream that is to be on the air all the while, and what stands between it and its receiver. */
export type Target = {
  readonly name: string;
  readonly kind: Kind;
  /** Its key or passphrase: found nowhere else. */
  readonly key: string;
  readonly spec: Params<"stream.add">;
  readonly arrivals: Arrivals;
  /** RTMP's; null for SRT. */
  readonly relay: Relay | null;
  /** SRT's; null for RTMP. */
  readonly srt: SrtReceiver | null;
};

/** What can be done to a receiver of either kind. */
export const receiverOf = ({
  relay,
  srt,
  name,
}: Target): Pick<Relay | SrtReceiver, "pass" | "refuse" | "stall"> => {
  const receiver = relay ?? srt;
  if (receiver === null) throw new Error(`${name} has no receiver`);
  return receiver;
};
