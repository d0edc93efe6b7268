import { z } from "zod";

export const CounterRow = z.object({
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  value: z.number().min(0),
});

/** `metrics.json` in the state directory: what was counted, over the daemon's death and a reboot. */
export const MetricsRecord = z.object({ version: z.literal(1), counters: z.array(CounterRow) });

export type CounterRow = z.infer<typeof CounterRow>;
export type MetricsRecord = z.infer<typeof MetricsRecord>;
