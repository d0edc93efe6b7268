import type { Ask } from "./ask.ts";
import { cpuMsOf } from "./census.ts";
import { type Delivery, DeliveryCount } from "./delivery.ts";
import type { RtmpServer } from "../helpers/rtmp-server.ts";

/** One stream that stays on the air all the while. */
export type Steady = {
  readonly name: string;
  readonly delivery: Delivery;
  /** Of one core, in percent, over the whole run. */
  readonly cpuPercent: number;
};

type Cpu = { pid: number; seenMs: number; firstMs: number; usedMs: number; fromMs: number };

/** Watches the steady streams: what the server gets of them, and what their FFmpegs cost. */
export class SteadyWatch {
  readonly #names: readonly string[];
  readonly #counts: ReadonlyMap<string, DeliveryCount>;
  readonly #cpu = new Map<string, Cpu>();
  readonly #server: RtmpServer;
  readonly #ask: Ask;
  #untilMs = 0;

  constructor(names: readonly string[], bytesPerMs: number, server: RtmpServer, ask: Ask) {
    this.#names = names;
    this.#counts = new Map(names.map((name) => [name, new DeliveryCount(bytesPerMs)]));
    this.#server = server;
    this.#ask = ask;
  }

  /** One look at the server and at every process. A server that does not answer is asked again next time. */
  async look(): Promise<void> {
    const { streams } = await this.#server.stats();
    const atMs = performance.now();
    for (const [name, count] of this.#counts)
      count.see(
        atMs,
        streams.find((stream) => stream.app === "plain" && stream.name === name),
      );
    const { streams: known } = await this.#ask("stream.status", { names: [...this.#names] });
    for (const { name, pid } of known) if (pid !== null) this.#see(name, pid);
  }

  #see(name: string, pid: number): void {
    const now = performance.now();
    const usedMs = cpuMsOf(pid);
    if (usedMs === null) return;
    this.#untilMs = now;
    const cpu = this.#cpu.get(name);
    if (cpu === undefined)
      return void this.#cpu.set(name, {
        ...{ pid, seenMs: usedMs, usedMs: 0, fromMs: now, firstMs: usedMs },
      });
    // Another process: what the one before used since the last look is not known.
    cpu.usedMs += cpu.pid === pid ? usedMs - cpu.seenMs : usedMs;
    cpu.seenMs = usedMs;
    cpu.pid = pid;
  }

  get all(): readonly Steady[] {
    return this.#names.map((name) => {
      const cpu = this.#cpu.get(name);
      const forMs = this.#untilMs - (cpu?.fromMs ?? 0);
      const delivery = this.#counts.get(name)?.delivery ?? NEVER;
      return { name, delivery, cpuPercent: forMs > 0 ? ((cpu?.usedMs ?? 0) / forMs) * 100 : 0 };
    });
  }
}

const NEVER: Delivery = { desiredMs: 0, deliveringMs: 0, longestSilenceMs: 0 };
