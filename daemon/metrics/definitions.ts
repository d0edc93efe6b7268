/** Every counter: its name, what it counts and by what. In docs/metrics.md too. */
export const COUNTERS = {
  starts: {
    name: "streambro_stream_starts_total",
    help: "FFmpeg processes started, restarts included.",
    labels: ["owner"],
  },
  onAir: {
    name: "streambro_stream_on_air_total",
    help: "Starts after which media reached the receiver.",
    labels: ["owner"],
  },
  stops: {
    name: "streambro_stream_stops_total",
    help: "FFmpeg processes that ended as they were to: stopped, played to the end, planned.",
    labels: ["owner"],
  },
  failures: {
    name: "streambro_stream_failures_total",
    help: "FFmpeg processes that ended otherwise, and starts that did not come about.",
    labels: ["owner", "reason"],
  },
  restarts: {
    name: "streambro_stream_restarts_total",
    help: "Failures that were followed by another attempt.",
    labels: ["owner"],
  },
  forceKills: {
    name: "streambro_force_kills_total",
    help: "FFmpeg processes that ended only by SIGKILL.",
    labels: ["owner"],
  },
  cleanups: {
    name: "streambro_cleanups_total",
    help: "Clean-ups of what streams left behind, by result: success or failure.",
    labels: ["result"],
  },
  freedBytes: {
    name: "streambro_cleanup_freed_bytes_total",
    help: "Bytes that clean-ups gave back.",
    labels: [],
  },
  encoderStarts: {
    name: "streambro_encoder_starts_total",
    help: "FFmpeg processes started, by the video encoder; kind is hardware, software or copy.",
    labels: ["encoder", "kind"],
  },
  limitRefusals: {
    name: "streambro_limit_refusals_total",
    help: "Starts refused by a limit; scope is user or global.",
    labels: ["owner", "scope"],
  },
  resourceWarnings: {
    name: "streambro_resource_warnings_total",
    help: "Times that a stream crossed a threshold of CPU or memory.",
    labels: ["owner"],
  },
  resourceBreaches: {
    name: "streambro_resource_breaches_total",
    help: "Times that a threshold stayed crossed for too long; action is warn, restart or stop.",
    labels: ["owner", "action"],
  },
  desiredSeconds: {
    name: "streambro_desired_seconds_total",
    help: "Seconds that streams should have been on the air, while a daemon watched.",
    labels: ["owner"],
  },
  deliveringSeconds: {
    name: "streambro_delivering_seconds_total",
    help: "Seconds of these in which media arrived.",
    labels: ["owner"],
  },
} as const satisfies Readonly<
  Record<
    string,
    { readonly name: string; readonly help: string; readonly labels: readonly string[] }
  >
>;

export type CounterKey = keyof typeof COUNTERS;
