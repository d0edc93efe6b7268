import type { Clock } from "../clock/clock.ts";
import type { Log } from "../log/log.ts";
import { findMarked } from "../runner/find-runs.ts";
import type { CleanupManager } from "../cleanup/cleanup-manager.ts";
import { placesOf } from "../store/layout.ts";
import type { MemoryRecord } from "../store/schemas.ts";
import type { Loaded, Store } from "../store/store.ts";
import { runFrom, whatIsLeft } from "../supervisor/adoption.ts";
import { NO_STREAK } from "../supervisor/state.ts";
import type { Stream } from "../supervisor/stream.ts";
import type { Identity } from "../runner/identity.ts";
import path from "node:path";
import { isStreamName } from "../../shared/stream-name.ts";
import type { Registry } from "./registry.ts";

/**
 * Opens every stream there is, takes over what runs, and starts what should run and does not: adopted
 * ones first, then by name. Answers with warnings for the operator.
 */
export const startUp = (
  store: Store,
  registry: Registry,
  cleanup: CleanupManager,
  clock: Clock,
  log: Log,
): string[] => {
  const loaded = store.load(() => clock.now());
  const { specs, memories, left } = loaded;
  const warnings = complaints(loaded);
  const marked = findMarked(`${store.layout.locks}/`);
  for (const one of left.values()) {
    const places = placesOf(store.layout, one.name);
    registry.leftAlone.take(one, places, marked.get(places.marker) ?? null);
  }
  const known = new Set([...specs.keys(), ...left.keys()]);
  // Before anything is started: nothing may be sent to where one of them sends.
  warnings.push(...strays(store, registry, known, marked));
  registry.leftAlone.settleSlots();
  const opened = [...specs.keys()].sort().map((name) => {
    const record = specs.get(name) as NonNullable<ReturnType<typeof specs.get>>;
    const memory = memories.get(name) ?? null;
    const secrets = record.keys === null ? null : store.secrets.read(name, record.keys);
    const stream = registry.open(record, secrets, memory);
    stream.expireAtStart();
    return { stream, memory };
  });
  const idle = opened.filter(
    ({ stream, memory }) => !takeOver(stream, memory, store, marked, clock.now()),
  );
  for (const { stream } of opened) registry.settleSlot(stream);
  for (const { stream, memory } of idle) takeUp(stream, memory, registry);
  for (const warning of warnings) log.warn({ event: "start-up" }, warning);
  void cleanup.cleanupOrphanedFiles([...known, ...namesOf(marked)]);
  return warnings;
};

const complaints = ({ setAside, unread, lostKeys, left }: Loaded): string[] => [
  ...setAside.map(
    ({ file, movedTo, why }) =>
      `${file} could not be read (${why}); it was set aside as ${path.basename(movedTo)}.`,
  ),
  ...unread.map(
    ({ name, file, why }) =>
      `${file} cannot be read just now (${why}); it is left as it is, and what is to be remembered of ${name} is not saved until streambrod is started again.`,
  ),
  ...lostKeys.map(
    ({ name, file, why }) =>
      `${file} cannot be used (${why}); ${name} cannot be started until its stream key is given again: streambro set ${name} --key-file FILE`,
  ),
  ...[...left.values()].map(({ name, file, isNewer, why }) =>
    isNewer
      ? `${file} is left as it is: ${why}. The stream ${name} is left alone: install that release again.`
      : `${file} cannot be read just now (${why}); it is left as it is, and so is the stream ${name} until streambrod is started again.`,
  ),
];

const namesOf = (marked: ReadonlyMap<string, Identity>): string[] =>
  [...marked.keys()].map((marker) => path.basename(marker));

const takeOver = (
  stream: Stream,
  memory: MemoryRecord | null,
  store: Store,
  marked: ReadonlyMap<string, Identity>,
  now: number,
): boolean => {
  const places = placesOf(store.layout, stream.spec.name);
  const left = whatIsLeft(places, memory, stream.secrets, marked);
  if (left.is === "nothing") return false;
  if (left.is === "unreadable") {
    stream.supervisor.block(
      `FFmpeg ${left.ffmpeg.pid} is on the air for this stream, and ${left.why}`,
    );
    return true;
  }
  const streak = memory?.rest.is === "running" ? memory.rest.streak : NO_STREAK;
  stream.supervisor.adopt(runFrom(left, now), left.contents, streak);
  if (stream.desired === "stopped") stream.supervisor.dispatch({ type: "stop" });
  return true;
};

const takeUp = (stream: Stream, memory: MemoryRecord | null, registry: Registry): void => {
  // What has failed for good stays so until somebody starts it, and needs no slot.
  const wanted = stream.desired === "running" && memory?.rest.is !== "failed";
  if (wanted && !registry.admit(stream)) return;
  if (memory !== null) stream.supervisor.recall(memory.rest);
  const { state } = stream.supervisor;
  if (wanted && (state.is === "stopped" || state.is === "finished"))
    stream.supervisor.dispatch({ type: "resume" });
  registry.settleSlot(stream);
};

/** Processes on the air that no stream owns, which only an operator can judge; a warning of each. */
const strays = (
  { layout }: Store,
  { leftAlone }: Registry,
  known: ReadonlySet<string>,
  marked: ReadonlyMap<string, Identity>,
): string[] =>
  [...marked].flatMap(([marker, identity]) => {
    const name = path.basename(marker);
    if (known.has(name) || !isStreamName(name)) return [];
    leftAlone.takeStray(name, placesOf(layout, name), identity);
    return leftAlone.statuses(new Set([name])).flatMap(({ note }) => note ?? []);
  });
