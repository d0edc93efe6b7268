import path from "node:path";
import { Option } from "commander";
import type { Command } from "commander";
import { EXIT } from "../../shared/errors.ts";
import { isStreamName, streamNameRule } from "../../shared/stream-name.ts";
import { refuse, refuseUsage } from "../context.ts";
import type { Context } from "../context.ts";
import { holdsSecret, SECRET_SEEN } from "../destination.ts";
import { readKey } from "../key.ts";
import { addEncodingOptions, encodingFields } from "./encoding-options.ts";
import type { EncodingFields, EncodingOptions } from "./encoding-options.ts";

/** What `add` and `set` have in common. */
export type SpecOptions = EncodingOptions & {
  readonly input?: string;
  readonly to?: string;
  readonly keyFile?: string;
  readonly keyStdin?: boolean;
  readonly owner?: string;
  readonly loop?: boolean;
};

/** The fields of a spec that were given, as the contract has them. */
export type SpecFields = EncodingFields & {
  input?: string;
  to?: string;
  key?: string;
  owner?: string;
  loop?: boolean;
};

type Given =
  | { readonly ok: true; readonly fields: SpecFields }
  | { readonly ok: false; readonly status: number };

export const addSpecOptions = (command: Command, needed: boolean): Command =>
  addEncodingOptions(
    command
      .addOption(new Option("--input <file>", "what to play").makeOptionMandatory(needed))
      .addOption(
        new Option("--to <url>", "where to send it: rtmp, rtmps or srt").makeOptionMandatory(
          needed,
        ),
      )
      .option("--key-file <file>", "file that holds the stream key, on one line")
      .option("--key-stdin", "read the stream key from standard input")
      .option("--owner <user>", "whose stream it is, for an admin to say"),
  );

/** Reads and checks what can be checked here; the daemon judges the rest. */
export const readSpec = async (
  context: Context,
  name: string,
  options: SpecOptions,
): Promise<Given> => {
  const { terminal } = context;
  if (!isStreamName(name)) return refused(refuse(context, EXIT.invalid, streamNameRule(name)));
  if (options.input === "")
    return refused(refuseUsage(context, "--input needs the name of a file."));
  const read = await readKey(options, terminal);
  if (!read.ok) return refused(refuse(context, read.status, read.sentence));
  const { input, to, owner, loop } = options;
  if (to !== undefined && holdsSecret(to)) terminal.err(`streambro: ${SECRET_SEEN}`);
  const fields: SpecFields = {
    ...(input === undefined ? {} : { input: absolute(input, terminal.cwd()) }),
    ...(to === undefined ? {} : { to }),
    ...(read.key === null ? {} : { key: read.key }),
    ...(owner === undefined ? {} : { owner }),
    ...(loop === undefined ? {} : { loop }),
    ...encodingFields(options),
  };
  return { ok: true, fields };
};

const refused = (status: number): Given => ({ ok: false, status });

/** A URL stays as it is, for the daemon to say what it thinks of it. */
const absolute = (input: string, cwd: string): string =>
  /^[a-z][a-z0-9+.-]*:\/\//i.test(input) ? input : path.resolve(cwd, input);
