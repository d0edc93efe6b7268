import type { Params } from "../../shared/contract/methods.ts";
import { renderFilm } from "../helpers/film.ts";
import { freePorts } from "../helpers/rtmp-config.ts";
import type { RtmpServer } from "../helpers/rtmp-server.ts";
import type { Plan } from "./plan.ts";
import { startRelay } from "./relay.ts";
import { startSrtReceiver } from "./srt-receiver.ts";
import type { Kind, Target } from "./target.ts";

/** Two keyframes a second, so that a start is soon on the air. */
const FILM = { bframes: 0, gop: 12 } as const;
const SMALL = { width: 160, height: 90, fps: 25, videoKbps: 150, preset: "ultrafast" } as const;

const filmFor = (kind: Kind, number: number): Promise<string> =>
  kind === "silence"
    ? renderFilm({ ...FILM, seconds: 9, audio: "none" })
    : renderFilm({ ...FILM, seconds: 10 + (number % 3) * 4 });

/** The streams of a plan, with their receivers, none of them added yet. */
export const setTargets = async (
  plan: Plan,
  server: RtmpServer,
  onOverlap: (evidence: string) => void,
): Promise<{ targets: Target[]; close: () => Promise<void> }> => {
  const targets: Target[] = [];
  for (const [number, kind] of plan.kinds.entries()) {
    const name = `${kind}-${number}`;
    const input = await filmFor(kind, number);
    const key = `hush-${plan.seed}-${name}-${"q7z".repeat(3)}`;
    const common = { name, input, key, loop: true };
    const encoded = kind === "encode" ? ({ mode: "encode", encoding: SMALL } as const) : {};
    if (kind === "srt") {
      const [port = 0] = await freePorts(1);
      const srt = startSrtReceiver(port, key);
      const spec: Params<"stream.add"> = { ...common, to: `srt://127.0.0.1:${port}` };
      targets.push({ name, kind, key, spec, arrivals: srt.arrivals, relay: null, srt });
    } else {
      const told = (): void => onOverlap(`${name}: connected while it was connected`);
      const relay = await startRelay(server.ports.rtmp, told);
      const to = `rtmp://127.0.0.1:${relay.port}/heard`;
      const spec: Params<"stream.add"> = { ...common, to, ...encoded };
      targets.push({ name, kind, key, spec, arrivals: relay.arrivals, relay, srt: null });
    }
  }
  const close = async (): Promise<void> => {
    for (const { relay, srt } of targets) await (relay ?? srt)?.close();
  };
  return { targets, close };
};
