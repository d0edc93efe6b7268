import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import type { Params, Result } from "../../shared/contract/methods.ts";
import { EXIT } from "../../shared/errors.ts";
import { printable } from "../../shared/stream-name.ts";
import { printJson, refuseUsage, reportFailure, say } from "../context.ts";
import type { Context } from "../context.ts";
import { limitLines, limitOf, overLines } from "../render/limits.ts";
import { standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";

type Limit = number | "default";

type SetOptions = Standard & {
  readonly perUser?: Limit;
  readonly global?: Limit;
  readonly user?: ReadonlyMap<string, Limit>;
};

const MOST = 100_000;
const RULE = `Use a whole number from 0 to ${MOST}, or "default" for what the settings say.`;

export const limits: Register = (program, run) => {
  const group = program.command("limits");
  standard(group, {
    about: "Show how many streams may run at once, and how many do.",
    examples: [
      "streambro limits",
      "streambro limits --json | jq .active.global",
      "streambro limits set --per-user 8 --global 40 --user anna=12",
    ],
  })
    .option("--json", "print JSON: every fact")
    .action(async (options: Standard) => run(options, show));
  standard(group.command("set"), {
    about:
      "Change limits for good, over a restart too. What runs goes on, whatever they are.\n" +
      "Root, the daemon's own user and members of streambro-admin may. A user named in --user has that\n" +
      "limit in place of --per-user.",
    examples: [
      "streambro limits set --per-user 8 --global 40",
      "streambro limits set --user anna=12 --user bob=default",
      "streambro limits set --per-user default --global default",
    ],
    statuses: [EXIT.failed, EXIT.invalid],
  })
    .summary("Change limits for good; what runs goes on.")
    .option("--per-user <count>", "streams of one user", limitOption)
    .option("--global <count>", "streams of all users", limitOption)
    .option("--user <name=count>", "streams of this user; may be repeated", userOption)
    .option("--json", "print JSON: the limits as they are then")
    .action(async (_: SetOptions, set: Command) => {
      // Commander gives -q and --json to `limits`, which has them too.
      const options: SetOptions = set.optsWithGlobals();
      return run(options, async (context) => change(context, options));
    });
};

const show = async (context: Context): Promise<number> => {
  const answer = await context.daemon.call("limits.get", {});
  if (!answer.ok) return reportFailure(context, answer.failure);
  if (!context.quiet) print(context, answer.result);
  return EXIT.ok;
};

const change = async (context: Context, options: SetOptions): Promise<number> => {
  const { perUser, global, user } = options;
  if (perUser === undefined && global === undefined && user === undefined) {
    return refuseUsage(
      context,
      "limits set: give --per-user, --global or --user. As they are: streambro limits",
    );
  }
  const wanted: Params<"limits.set"> = {
    ...(perUser === undefined ? {} : { perUser: sent(perUser) }),
    ...(global === undefined ? {} : { global: sent(global) }),
    ...(user === undefined
      ? {}
      : { users: Object.fromEntries([...user].map(([name, limit]) => [name, sent(limit)])) }),
  };
  const answer = await context.daemon.call("limits.set", wanted);
  if (!answer.ok) return reportFailure(context, answer.failure, "limits: not changed");
  if (context.json) printJson(context, answer.result);
  const { result } = answer;
  const named = [...(user ?? new Map<string, Limit>()).keys()];
  const ofThem = named.map((name) => `, ${printable(name, 64)} ${limitOf(result, name)}`).join("");
  say(context, `limits: ${result.perUser} per user, ${result.global} in all${ofThem}`);
  for (const line of overLines(result)) say(context, line);
  return EXIT.ok;
};

const print = (context: Context, result: Result<"limits.get">): void => {
  const { terminal, json } = context;
  if (json) printJson(context, result);
  else terminal.out(limitLines(result, terminal.columns()).join("\n"));
};

/** As the contract says it; Commander would take null from an option's reader for no value at all. */
const sent = (limit: Limit): number | null => (limit === "default" ? null : limit);

const limitOption = (text: string): Limit => {
  if (text === "default") return text;
  const count = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count <= MOST)) throw new InvalidArgumentError(RULE);
  return count;
};

const userOption = (
  text: string,
  before: ReadonlyMap<string, Limit> | undefined,
): ReadonlyMap<string, Limit> => {
  const at = text.lastIndexOf("=");
  if (at < 1) throw new InvalidArgumentError(`Use NAME=COUNT, such as anna=12. ${RULE}`);
  const name = text.slice(0, at);
  if (before?.has(name) === true)
    throw new InvalidArgumentError(`${printable(name)} is named twice.`);
  return new Map([...(before ?? []), [name, limitOption(text.slice(at + 1))]]);
};
