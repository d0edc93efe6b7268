import { chmodSync, mkdirSync, realpathSync, statSync } from "node:fs";
import path from "node:path";
import { makeDirectoryDurably } from "./atomic-file.ts";

/** The folders of one daemon. */
export type Layout = {
  readonly streams: string;
  readonly keys: string;
  readonly memory: string;
  readonly locks: string;
  readonly logs: string;
  readonly runs: string;
  readonly daemonLock: string;
  /** A file: what `limits set` has changed. */
  readonly limits: string;
  /** Which encoders work, as far as is known. */
  readonly encoders: string;
  /** A file: what was counted. */
  readonly metrics: string;
  /** A database: what happened. */
  readonly history: string;
};

/** The places of one stream. */
export type StreamPlaces = {
  readonly run: string;
  readonly lock: string;
  readonly log: string;
  /** What FFmpeg carries in its environment: the lock's path, which no other daemon's stream has. */
  readonly marker: string;
};

/** Makes what is missing. Throws the system's error where it cannot. */
export const makeLayout = (state: string, runtime: string): Layout => {
  makeDirectoryDurably(state, 0o750);
  mkdirSync(runtime, { recursive: true, mode: 0o755 });
  const stateReal = realpathSync(state);
  const folder = (parent: string, name: string, mode: number): string => {
    const directory = path.join(parent, name);
    if (parent === stateReal) makeDirectoryDurably(directory, mode);
    else mkdirSync(directory, { recursive: true, mode });
    // Not where nothing needs to be done: a file system that is read-only refuses even that.
    if ((statSync(directory).mode & 0o777) !== mode) chmodSync(directory, mode);
    return directory;
  };
  return {
    // For nobody else: users of the daemon are in its group, and may see of others' streams what it
    // tells them, not where they go.
    streams: folder(stateReal, "streams", 0o700),
    keys: folder(stateReal, "keys", 0o700),
    memory: folder(stateReal, "memory", 0o700),
    locks: folder(stateReal, "locks", 0o700),
    logs: folder(stateReal, "logs", 0o700),
    runs: folder(realpathSync(runtime), "runs", 0o700),
    daemonLock: path.join(stateReal, "daemon.lock"),
    encoders: path.join(stateReal, "encoders.json"),
    limits: path.join(stateReal, "limits.json"),
    metrics: path.join(stateReal, "metrics.json"),
    history: path.join(stateReal, "history.db"),
  };
};

export const placesOf = (layout: Layout, name: string): StreamPlaces => {
  const lock = path.join(layout.locks, name);
  return {
    run: path.join(layout.runs, name),
    lock,
    log: path.join(layout.logs, `${name}.log`),
    marker: lock,
  };
};
