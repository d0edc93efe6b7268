import path from "node:path";
import { StreamBroError } from "../../shared/errors.ts";
import type { Params, Result } from "../../shared/contract/methods.ts";
import { Encoding, NO_ENCODING, type StreamSpec } from "../../shared/contract/spec.ts";
import { parseDestination } from "../destination/destination.ts";
import type { Destination } from "../destination/parted.ts";
import type { MediaInfo } from "../media/media-info.ts";
import type { Caller } from "../rpc/server.ts";
import { type Owners, ownerFor } from "./owner.ts";
import type { Registry } from "../registry/registry.ts";
import type { SpecRecord } from "../store/schemas.ts";
import type { Store } from "../store/store.ts";
import { type Tools, examine } from "../supervisor/examine.ts";
import { isAtRest } from "../supervisor/state.ts";

/** What adding and changing need. */
export type Editing = {
  readonly registry: Registry;
  readonly store: Store;
  readonly tools: Tools;
  readonly owners: Owners;
};

/** Errors: INVALID_SPEC, STREAM_EXISTS, INPUT_UNUSABLE, STORAGE_FAILED; nothing is registered then. */
export const addStream = async (
  params: Params<"stream.add">,
  caller: Caller,
  editing: Editing,
): Promise<Result<"stream.add">> => {
  const { registry, store } = editing;
  const { name } = params;
  const refuseTaken = (): void => {
    if (registry.unreadable.has(name)) {
      throw new StreamBroError(
        "STREAM_EXISTS",
        `${name}: not added: there is a file of this stream that cannot be read just now. See: streambro daemon status`,
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
  const owner = await ownerFor(caller, params.owner, editing.owners);
  const destination = destinationOf(params.to, params.key, `${name}: not added`);
  const input = absolute(params.input, `${name}: not added`);
  const media = await usable(input, destination.url, editing.tools, `${name}: not added`);
  // Somebody else may have taken the name while the input was examined.
  refuseTaken();
  const keys = Object.keys(destination.secrets).length === 0 ? null : 1;
  const spec: StreamSpec = {
    name,
    owner,
    input,
    loop: params.loop ?? true,
    mode: params.mode ?? "auto",
    encoding: withEncoding(NO_ENCODING, params.encoding),
    onResourceBreach: params.onResourceBreach ?? "warn",
    outputs: [outputOf(destination)],
    revision: 1,
  };
  const record: SpecRecord = { version: 1, spec, keys, desired: "stopped", stopAt: null };
  const stream = registry.open(record, keys === null ? null : [destination.secrets], null);
  try {
    await stream.inTurn(async () => {
      if (keys !== null) await store.secrets.write(name, keys, [destination.secrets]);
      await store.specs.write(name, record);
    });
  } catch (error) {
    registry.streams.delete(name);
    stream.supervisor.release();
    await store.secrets.prune(name, null).catch(() => {});
    throw error;
  }
  return { stream: stream.status(), input: factsOf(media) };
};

/** Errors: as for adding, STREAM_NOT_FOUND; the stream is as it was then. */
export const changeStream = async (
  params: Params<"stream.set">,
  caller: Caller,
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
    const newUrl = params.to ?? before.outputs[0]?.url ?? "";
    const withKey = params.to !== undefined || params.key !== undefined;
    const parsed = withKey ? destinationOf(newUrl, params.key, refusal) : null;
    // A new key alone leaves the other secrets of the destination as they were.
    const kept = params.to === undefined ? stream.secrets : {};
    const destination =
      parsed === null ? null : { ...parsed, secrets: withKept(kept, parsed.secrets) };
    const output = destination === null ? before.outputs[0] : outputOf(destination);
    const input = params.input === undefined ? before.input : absolute(params.input, refusal);
    const matters =
      destination !== null ||
      input !== before.input ||
      (params.loop ?? before.loop) !== before.loop;
    const changed = matters || (owner ?? before.owner) !== before.owner;
    if (!changed) return { changed, matters };
    if (matters) await usable(input, output?.url ?? "", editing.tools, refusal);
    const revision = before.revision + 1;
    const hasSecrets = destination !== null && Object.keys(destination.secrets).length > 0;
    const keys = destination === null ? record.keys : hasSecrets ? revision : null;
    if (hasSecrets) await store.secrets.write(name, revision, [destination.secrets]);
    const spec: StreamSpec = {
      ...before,
      input,
      owner: owner ?? before.owner,
      loop: params.loop ?? before.loop,
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
    await store.secrets.prune(name, keys);
    return { changed, matters };
  });
  const { state } = stream.supervisor;
  const running = !isAtRest(state) && state.is !== "backoff" && state.is !== "foreign";
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

const outputOf = ({ url, secrets }: Destination): StreamSpec["outputs"][number] => ({
  url,
  hasKey: Object.keys(secrets).length > 0,
});

const destinationOf = (to: string, key: string | undefined, refusal: string): Destination => {
  const parsed = parseDestination(to, key);
  if (!parsed.ok)
    throw new StreamBroError("INVALID_SPEC", `${refusal}: ${lowered(parsed.message)}`);
  return parsed.destination;
};

/** What is not mentioned stays as it is. */
const withEncoding = (before: Encoding, given: Params<"stream.add">["encoding"]): Encoding =>
  Encoding.parse({
    ...before,
    ...Object.fromEntries(Object.entries(given ?? {}).filter(([, value]) => value !== undefined)),
  });

const withKept = (
  kept: Destination["secrets"],
  given: Destination["secrets"],
): Destination["secrets"] => {
  const app = kept["rtmp_app"];
  return { ...kept, ...given, ...(app === undefined ? {} : { rtmp_app: app }) };
};

const absolute = (input: string, refusal: string): string => {
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

const usable = async (
  input: string,
  url: string,
  tools: Tools,
  refusal: string,
): Promise<MediaInfo> => {
  const examined = await examine(input, url, tools);
  if (!examined.ok)
    throw new StreamBroError("INPUT_UNUSABLE", `${refusal}: ${examined.failure.message}`);
  return examined.media;
};

const factsOf = (media: MediaInfo): Result<"stream.add">["input"] => ({
  durationMs: Math.round(media.durationMs),
  tracks: {
    video: { action: "copy", encoder: null, fallback: null },
    audio: { action: media.audio === null ? "silence" : "copy" },
  },
  video: `${media.video.codec} ${media.video.width}x${media.video.height}`,
  audio: media.audio?.codec ?? null,
});

const lowered = (sentence: string): string => sentence.charAt(0).toLowerCase() + sentence.slice(1);
