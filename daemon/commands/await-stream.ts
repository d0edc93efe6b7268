import type { Params, Result } from "../../shared/contract/methods.ts";
import type { Registry } from "../registry/registry.ts";
import { isAtRest } from "../supervisor/state.ts";
import type { Stream } from "../supervisor/stream.ts";

/** Waits until a stream is live or at rest, at most `waitMs`, or until the caller is gone. */
export const awaitStream = async (
  registry: Registry,
  { name, for: goal, waitMs }: Params<"stream.wait">,
  gone: AbortSignal,
): Promise<Result<"stream.wait">> => {
  const stream = registry.get(name);
  const { changes } = stream.supervisor;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      changes.off("change", look);
      gone.removeEventListener("abort", done);
      resolve();
    };
    const look = (): void => {
      if (outcomeOf(stream, goal) !== "waiting") done();
    };
    const timer = setTimeout(done, waitMs);
    changes.on("change", look);
    gone.addEventListener("abort", done);
    look();
  });
  return { outcome: outcomeOf(stream, goal), stream: stream.status() };
};

const outcomeOf = (stream: Stream, goal: "live" | "stopped"): Result<"stream.wait">["outcome"] => {
  const { state } = stream.supervisor;
  if (goal === "live")
    return state.is === "live" ? "reached" : isAtRest(state) ? "never" : "waiting";
  return isAtRest(state) ? "reached" : "waiting";
};
