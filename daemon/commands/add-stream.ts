import { StreamBroError } from "../../shared/errors.ts";
import type { Params, Result } from "../../shared/contract/methods.ts";
import { NO_ENCODING, type StreamSpec } from "../../shared/contract/spec.ts";
import type { Admitted } from "../access/guard.ts";
import { shownUrl } from "../destination/destination.ts";
import { refuseRegistering } from "../limits/registered.ts";
import { NEVER } from "../supervisor/durable.ts";
import { tracksOf } from "../media/track-plan.ts";
import type { SpecRecord } from "../store/schemas.ts";
import {
  type Editing,
  type Playable,
  absolute,
  destinationOf,
  outputOf,
  playableOf,
} from "./editing.ts";
import { ownerFor } from "./owner.ts";
import { wishOf } from "./wish.ts";

/** Errors: INVALID_SPEC, STREAM_EXISTS, INPUT_UNUSABLE, STORAGE_FAILED; nothing is registered then. */
export const addStream = async (
  params: Params<"stream.add">,
  caller: Admitted,
  editing: Editing,
): Promise<Result<"stream.add">> => {
  const { registry, store } = editing;
  const { name } = params;
  const { sight } = caller;
  const refuseTaken = (): void => {
    const whose = sight.ownerOf(name);
    if (whose !== null && sight.of(whose) !== "whole") {
      const by = sight.of(whose) === "none" ? "" : ` by a stream of ${whose}`;
      const sentence = `${name}: not added: the name is taken${by}. Choose another name.`;
      throw new StreamBroError("STREAM_EXISTS", sentence);
    }
    if (registry.leftAlone.has(name)) {
      throw new StreamBroError(
        "STREAM_EXISTS",
        `${name}: not added: a stream of this name is there and is left alone. See: streambro status ${name}`,
      );
    }
    if (registry.streams.has(name)) {
      throw new StreamBroError(
        "STREAM_EXISTS",
        `${name}: not added: the name is taken. Change that stream with: streambro set ${name}`,
      );
    }
  };
  refuseTaken();
  const destination = destinationOf(params.to, params.key, `${name}: not added`);
  const input = absolute(params.input, `${name}: not added`);
  const wish = wishOf({ mode: "auto", encoding: NO_ENCODING }, params, `${name}: not added`);
  // Before the input is examined: from then on nothing may come between the name and its registration.
  const owner = await ownerFor(caller, params.owner, editing.owners);
  const refuseMany = (): void => {
    if (!sight.isAdmin) refuseRegistering(registry, name, owner, editing.mostRegistered());
  };
  refuseMany();
  const playable = await playableOf(
    { ...wish, owner, input, url: destination.url },
    editing,
    `${name}: not added`,
  );
  // Somebody else may have taken the name, or this user a last place, while the input was examined.
  refuseTaken();
  refuseMany();
  const keys = Object.keys(destination.secrets).length === 0 ? null : 1;
  const spec: StreamSpec = {
    name,
    owner,
    input,
    loop: params.loop ?? true,
    ...wish,
    onResourceBreach: params.onResourceBreach ?? "warn",
    outputs: [outputOf(destination)],
    revision: 1,
  };
  const record: SpecRecord = { version: 1, spec, keys, desired: "stopped", ...NEVER };
  const stream = registry.open(record, keys === null ? null : [destination.secrets], null);
  try {
    await stream.inTurn(async () => {
      await store.forgetEarlier(name);
      if (keys !== null) await store.secrets.write(name, keys, [destination.secrets]);
      await store.specs.write(name, record);
    });
  } catch (error) {
    registry.streams.delete(name);
    stream.supervisor.release();
    await store.secrets.prune(name, null).catch(() => {});
    throw error;
  }
  editing.edited(name, "added", `added: ${input} to ${shownUrl(destination.url, keys !== null)}`);
  return { stream: stream.status(), input: factsOf(playable) };
};

const factsOf = ({ media, plan, encoder, fallback }: Playable): Result<"stream.add">["input"] => ({
  durationMs: Math.round(media.durationMs),
  video: `${media.video.codec} ${media.video.width}x${media.video.height}`,
  audio: media.audio?.codec ?? null,
  tracks: tracksOf(plan, encoder, fallback),
});
