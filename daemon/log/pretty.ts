import type { Environment } from "../../shared/paths.ts";

/** No control characters but the line breaks of a stack: a terminal would obey them. */
const harmless = (_key: string, value: unknown): unknown =>
  typeof value === "string" ? value.replace(/(?!\n)[\p{Cc}\p{Cf}]/gu, "\uFFFD") : value;

/**
 * Turns a line of the log into one for people. It is loaded when it is asked for only: it takes 30 ms.
 */
export const prettifier = async (colour: boolean): Promise<(line: string) => string> => {
  const { prettyFactory } = await import("pino-pretty");
  const prettify = prettyFactory({
    colorize: colour,
    translateTime: "SYS:yyyy-mm-dd HH:MM:ss",
    // The sentence says what these do; it begins with the stream's name.
    ignore: "event,stream,message,pid,socket,asked,errors,changed,needsRestart",
    errorLikeObjectKeys: ["error"],
    singleLine: true,
  });
  return (line) => {
    try {
      return prettify(JSON.parse(line, harmless)) ?? line;
    } catch {
      return line;
    }
  };
};

/** Colours are for terminals, and not where NO_COLOR says so. */
export const wantsColour = (isTerminal: boolean, env: Environment): boolean =>
  isTerminal && (env["NO_COLOR"] ?? "") === "";
