import path from "node:path";
import { StreamBroError } from "../../shared/errors.ts";
import { ffmpegArgv } from "../ffmpeg/argv.ts";
import type { Registry } from "../registry/registry.ts";
import type { GuardedHandlers } from "../access/guard.ts";
import { commandLineOf } from "../runner/identity.ts";
import { PLAYLIST, PRESET, placeFor } from "../runner/run-directory.ts";
import { playing } from "../reach/input.ts";
import { type Layout, placesOf } from "../store/layout.ts";
import { type Means, examine } from "../supervisor/examine.ts";
import type { Stream } from "../supervisor/stream.ts";

type Ports = Means & { readonly registry: Registry; readonly layout: Layout };

/** What FFmpeg is run with, or would be. Keys are not in it: they are in a file that it names. */
export const commandLineHandlers = (ports: Ports): Pick<GuardedHandlers, "stream.command"> => ({
  "stream.command": async ({ name }) => {
    const stream = ports.registry.get(name);
    const { session } = stream.supervisor;
    const running = session === null ? null : commandLineOf(session.run.pids.ffmpeg);
    return { version: 1, argv: [...(running ?? (await planned(stream, ports)))] };
  },
});

const planned = async (stream: Stream, { layout, ...means }: Ports): Promise<readonly string[]> => {
  const { name, owner, input, mode, encoding, outputs } = stream.spec;
  const url = outputs[0]?.url ?? "";
  const examined = await examine(
    { owner, input, url, mode, encoding, softwareOnly: stream.supervisor.track.fallback !== null },
    means,
  );
  if (!examined.ok)
    throw new StreamBroError(
      "INPUT_UNUSABLE",
      `${name}: it would not run: ${examined.failure.message}`,
    );
  const run = placeFor(examined.input.opening, placesOf(layout, name).run);
  const hasSecrets = outputs[0]?.hasKey === true;
  const own = ffmpegArgv({
    ffmpeg: means.tools.ffmpeg,
    playlist: path.join(run, PLAYLIST),
    plan: examined.plan,
    encoder: examined.encoder,
    output: { url, preset: hasSecrets ? path.join(run, PRESET) : null },
  });
  return playing(examined.input, placesOf(layout, name).run, own);
};
