import { isDeepStrictEqual } from "node:util";
import { StreamBroError } from "../../shared/errors.ts";
import type { Params, Result } from "../../shared/contract/methods.ts";
import type { StreamSpec } from "../../shared/contract/spec.ts";
import { givenIn } from "../access/given.ts";
import type { Admitted } from "../access/guard.ts";
import { othersStream } from "../access/refusals.ts";
import type { Destination } from "../destination/parted.ts";
import { noSuchStream } from "../supervisor/refusals.ts";
import { holdsSlot } from "../supervisor/state.ts";
import { type Editing, absolute, destinationOf, outputOf, playableOf } from "./editing.ts";
import { ownerFor } from "./owner.ts";
import { wishOf } from "./wish.ts";

/** Errors: as for adding, STREAM_NOT_FOUND; the stream is as it was then. */
export const changeStream = async (
  params: Params<"stream.set">,
  caller: Admitted,
  editing: Editing,
): Promise<Result<"stream.set">> => {
  const { registry, store } = editing;
  const { name } = params;
  const stream = registry.get(name);
  const owner =
    params.owner === undefined ? null : await ownerFor(caller, params.owner, editing.owners);
  const refusal = `${name}: not changed`;
  const outcome = await stream.inTurn(async () => {
    const { record } = stream;
    const before = record.spec;
    // An admin may have given it to somebody else while this waited.
    const seen = caller.sight.of(before.owner);
    if (seen === "none") throw noSuchStream(name);
    if (seen === "reduced") throw othersStream(name, before.owner, "change it");
    const newUrl = params.to ?? before.outputs[0]?.url ?? "";
    const withKey = params.to !== undefined || params.key !== undefined;
    const parsed = withKey ? destinationOf(newUrl, params.key, refusal) : null;
    // A new key alone leaves the other secrets of the destination as they were.
    const kept = params.to === undefined ? stream.secrets : {};
    const destination =
      parsed === null ? null : { ...parsed, secrets: withKept(kept, parsed.secrets) };
    const output = destination === null ? before.outputs[0] : outputOf(destination);
    const input = params.input === undefined ? before.input : absolute(params.input, refusal);
    const wish = wishOf(before, params, refusal);
    const onResourceBreach = params.onResourceBreach ?? before.onResourceBreach;
    const matters =
      destination !== null ||
      input !== before.input ||
      (params.loop ?? before.loop) !== before.loop ||
      !isDeepStrictEqual(wish, { mode: before.mode, encoding: before.encoding });
    const changed =
      matters ||
      (owner ?? before.owner) !== before.owner ||
      onResourceBreach !== before.onResourceBreach;
    if (!changed) return { changed, matters };
    // What its new owner may not read is not that owner's to play.
    const isHandedOver = owner !== null && (await editing.reach.differs(before.owner, owner));
    const request = { ...wish, owner: owner ?? before.owner, input, url: output?.url ?? "" };
    if (matters || isHandedOver) await playableOf(request, editing, refusal);
    const revision = before.revision + 1;
    const hasSecrets = destination !== null && Object.keys(destination.secrets).length > 0;
    const keys = destination === null ? record.keys : hasSecrets ? revision : null;
    if (hasSecrets) await store.secrets.write(name, revision, [destination.secrets]);
    const spec: StreamSpec = {
      ...before,
      ...wish,
      input,
      owner: owner ?? before.owner,
      loop: params.loop ?? before.loop,
      onResourceBreach,
      outputs: output === undefined ? before.outputs : [output],
      revision,
    };
    try {
      const secrets =
        destination === null ? stream.outputSecrets : hasSecrets ? [destination.secrets] : null;
      // What is desired may have changed while the input was examined.
      await stream.change({ ...stream.record, spec, keys }, secrets);
    } catch (error) {
      await store.secrets.prune(name, record.keys).catch(() => {});
      throw error;
    }
    // It is changed: a key that cannot be removed goes at the next start.
    await store.secrets.prune(name, keys).catch(() => {});
    return { changed, matters: matters || isHandedOver };
  });
  if (outcome.changed) editing.edited(name, "changed", `changed: ${givenIn(params).join(", ")}`);
  // Another owner may have room for what waits.
  if (owner !== null) registry.admitWaiting();
  const { state } = stream.supervisor;
  const running = holdsSlot(state) && state.is !== "backoff" && state.is !== "foreign";
  const needsRestart = outcome.matters && running;
  const restarted = needsRestart && params.restart === true;
  if (restarted) {
    try {
      await stream.restart();
    } catch (error) {
      if (!(error instanceof StreamBroError)) throw error;
      const why = error.message.replace(/^\S+: not started: /, "");
      throw new StreamBroError(error.code, `${name}: changed, but not restarted: ${why}`);
    }
  }
  return {
    stream: stream.status(),
    changed: outcome.changed,
    needsRestart: needsRestart && !restarted,
    restarted,
  };
};

const withKept = (
  kept: Destination["secrets"],
  given: Destination["secrets"],
): Destination["secrets"] => {
  const app = kept["rtmp_app"];
  return { ...kept, ...given, ...(app === undefined ? {} : { rtmp_app: app }) };
};
