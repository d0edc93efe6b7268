import { HELP } from "../../daemon/config/help.ts";
import { entry, escaped, heading, page, paragraphs, title } from "./roff.ts";
import { daemonEnvironment, systemFiles } from "./surroundings.ts";

/** streambrod(8): what its --help prints, block by block. */
export const streambrodPage = (version: string): string => {
  const [usage = "", ...blocks] = HELP.trim().split(/\n\n+/);
  const synopsis = usage.replace(/^Usage: /, "");
  return page(
    title("streambrod", 8, version, "keep live streams on the air"),
    heading("SYNOPSIS"),
    escaped(synopsis).replace(/^streambrod/, "\\fBstreambrod\\fR"),
    heading("DESCRIPTION"),
    ...blocks.map(blockOf),
    heading("ENVIRONMENT"),
    ...daemonEnvironment().map(([name, about]) => entry(name, about)),
    heading("FILES"),
    ...systemFiles().map(([name, about]) => entry(name, about)),
    heading("SEE ALSO"),
    "\\fBstreambro\\fR(1), \\fBstreambro.yaml\\fR(5), \\fBffmpeg\\fR(1)",
  );
};

const blockOf = (block: string): string => {
  if (/^ {2}--/.test(block)) return `${heading("OPTIONS")}\n${optionEntries(block)}`;
  const status = /^Exit status: ([\s\S]*)$/.exec(block)?.[1];
  return status === undefined
    ? paragraphs(block)
    : `${heading("EXIT STATUS")}\n${paragraphs(status)}`;
};

/** Lines of "  --option VALUE  what it does", of which one may go on in the next. */
const optionEntries = (block: string): string =>
  block
    .split(/\n(?= {2}--)/)
    .map((one) => {
      const [, flag = "", about = ""] = /^ {2}(\S+(?: \S+)*) {2,}([\s\S]*)$/.exec(one) ?? [];
      return entry(flag, about);
    })
    .join("\n");
