/** What a stream is doing, as an operator sees it. The supervisor's own states are finer. */
export const STREAM_STATES = [
  "stopped",
  /** Should run, and waits until a limit leaves room for it. */
  "waiting",
  "starting",
  "live",
  "backoff",
  "stopping",
  "finished",
  "failed",
  "foreign",
] as const;

export type StreamState = (typeof STREAM_STATES)[number];

/** What the operator wants; durable, and independent of what the stream is doing. */
export const DESIRED_STATES = ["running", "stopped"] as const;

export type DesiredState = (typeof DESIRED_STATES)[number];

/** Whether media arrives. */
export const HEALTH_STATES = [
  "delivering",
  /** The receiver, or this machine, comes along at less than real time: the picture stutters. */
  "congested",
  /** The receiver has taken next to nothing for the stall timeout. */
  "stalled",
  /** No evidence yet, or none any more. */
  "unknown",
] as const;

export type Health = (typeof HEALTH_STATES)[number];

/** Why a process ended, or a start did not happen. */
export const FAILURE_REASONS = [
  "connection-refused",
  "dns",
  "auth-or-path-rejected",
  "already-publishing",
  "network-lost",
  "timed-out",
  "tls-failed",
  "no-media",
  "stalled",
  "input-missing",
  "input-corrupt",
  "codec-unsupported",
  "encoder-failed",
  "option-unsupported",
  "end-of-input",
  "killed",
  "crashed",
  "out-of-memory",
  "disk-full",
  "spawn-failed",
  "limit-exceeded",
  "resource-breach",
  "stopped",
  "unknown",
] as const;

export type FailureReason = (typeof FAILURE_REASONS)[number];
