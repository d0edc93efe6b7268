import { EXIT } from "../../shared/errors.ts";
import { isStreamName, streamNameRule } from "../../shared/stream-name.ts";
import { refuse, refuseUsage, reportFailure, say } from "../context.ts";
import type { Context } from "../context.ts";
import { isOurs } from "../ours.ts";

/** The streams a command is for, or the exit status it ends with instead. */
export type Targets =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly status: number };

/** What --all is for, in a command's help. */
export const ALL = "all of your streams; for an admin everybody's";

/** The named streams, each once, or under --all every stream that may be acted on. */
export const targets = async (
  context: Context,
  names: readonly string[],
  all: boolean,
): Promise<Targets> => {
  if (all && names.length > 0) {
    return { ok: false, status: refuseUsage(context, "give names or --all, not both.") };
  }
  if (all) return everyStream(context);
  if (names.length === 0) {
    return { ok: false, status: refuseUsage(context, "name a stream, or use --all.") };
  }
  return namedStreams(context, names);
};

/** The same names, each once, if all of them can be names. */
export const namedStreams = (context: Context, names: readonly string[]): Targets => {
  const wrong = names.find((name) => !isStreamName(name));
  if (wrong === undefined) return { ok: true, names: [...new Set(names)] };
  return { ok: false, status: refuse(context, EXIT.invalid, streamNameRule(wrong)) };
};

const everyStream = async (context: Context): Promise<Targets> => {
  const answer = await context.daemon.call("stream.status", {});
  if (!answer.ok) return { ok: false, status: reportFailure(context, answer.failure) };
  const { streams } = answer.result;
  const names = streams.filter(isOurs).map(({ name }) => name);
  if (names.length === 0)
    say(context, `streambro: ${streams.length === 0 ? "there are" : "you have"} no streams.`);
  return { ok: true, names };
};
