import type { HistoryEntry } from "../../shared/contract/history.ts";
import type { Result } from "../../shared/contract/methods.ts";
import { EXIT } from "../../shared/errors.ts";
import { printable } from "../../shared/stream-name.ts";
import type { Notice } from "../client/message.ts";
import { printJson, refuse, reportFailure, say } from "../context.ts";
import type { Context } from "../context.ts";
import { type Widths, historyLine, statusLine } from "../render/history-line.ts";
import { standard } from "./command.ts";
import type { Register, Standard } from "./command.ts";
import { interruption } from "./outcome.ts";
import { namedStreams } from "./targets.ts";

type Options = Standard & { readonly follow?: boolean };

const ABOUT = "Show how streams are, and with -f each change as it happens.";

export const events: Register = (program, run) => {
  standard(
    program.command("events").argument("[name...]", "the streams; all, where none is named"),
    {
      about:
        `${ABOUT}\n` +
        "Without names the daemon itself and streams that are added later are told of too. -f goes on\n" +
        "until interrupted, or until the daemon goes away (69). Who reads too slowly is cut off (1).",
      examples: [
        "streambro events -f",
        "streambro events -f --json | jq -r 'select(.type == \"event\").event.message'",
      ],
      statuses: [EXIT.failed, EXIT.noSuchStream, EXIT.tryLater, EXIT.invalid, EXIT.interrupted],
    },
  )
    .summary(ABOUT)
    .option("-f, --follow", "go on with what happens")
    .option("--json", "print one JSON object a line: version, type (status or event), and that")
    .action(async (names: string[], options: Options) =>
      run(options, async (context) => {
        const chosen = namedStreams(context, names);
        if (!chosen.ok) return chosen.status;
        return options.follow === true
          ? follow(context, chosen.names)
          : printNow(context, chosen.names);
      }),
    );
};

const printNow = async (context: Context, names: readonly string[]): Promise<number> => {
  const answer = await subscribe(context, names, () => {});
  if (!answer.ok) return reportFailure(context, answer.failure, names[0]);
  print(context, answer.result, { name: 0, what: 0 });
  return EXIT.ok;
};

/** How it ended: an exit status, once that was said. */
const follow = async (context: Context, names: readonly string[]): Promise<number> => {
  const { terminal, daemon, json, quiet } = context;
  terminal.endWithReader();
  const interrupted = interruption(context);
  const widths = { name: 0, what: 0 };
  const last = Promise.withResolvers<Notice>();
  const early: HistoryEntry[] = [];
  let told = (entry: HistoryEntry): void => void early.push(entry);
  const answer = await subscribe(context, names, (notice) => {
    if (notice.method === "event") told(notice.params as HistoryEntry);
    else if (notice.method === "dropped" || notice.method === "ended") last.resolve(notice);
  });
  if (!answer.ok) return reportFailure(context, answer.failure, names[0]);
  print(context, answer.result, widths);
  told = (entry) => {
    if (quiet) return;
    if (json) printJson(context, { version: 1, type: "event", event: entry });
    else terminal.out(historyLine(entry, widths));
  };
  for (const entry of early) told(entry);
  return Promise.race([
    interrupted.then(() => {
      say(context, "streambro: interrupted; the streams go on.");
      return EXIT.interrupted;
    }),
    last.promise.then(({ method, params }) => {
      const { message } = params;
      const why = typeof message === "string" ? printable(message, 500) : method;
      const status = method === "dropped" ? EXIT.failed : EXIT.unreachable;
      return refuse(context, status, `no more events: ${why}`);
    }),
    daemon
      .hungUp()
      .then(async () =>
        refuse(
          context,
          EXIT.unreachable,
          "no more events: the daemon has gone; its streams go on.",
        ),
      ),
  ]);
};

const subscribe = async (
  { daemon }: Context,
  names: readonly string[],
  onNotice: (notice: Notice) => void,
): ReturnType<typeof daemon.call<"events.subscribe">> =>
  daemon.call("events.subscribe", names.length === 0 ? {} : { names: [...names] }, 0, onNotice);

const print = (
  context: Context,
  { streams, sequence }: Result<"events.subscribe">,
  widths: Widths,
): void => {
  const { terminal, json, quiet } = context;
  if (quiet) return;
  const now = terminal.now();
  for (const stream of streams) {
    if (json) printJson(context, { version: 1, type: "status", sequence, status: stream });
    else terminal.out(statusLine(stream, widths, now));
  }
};
