// Not from prom-client's index: that loads a push gateway, a cluster's registry and OpenTelemetry, some
// 10 MB and 40 ms for nothing.
export { default as Counter } from "prom-client/lib/counter.js";
export { default as Gauge } from "prom-client/lib/gauge.js";
export { default as Registry } from "prom-client/lib/registry.js";
