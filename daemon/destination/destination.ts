import { MAX_SECRET_BYTES, type ParsedDestination } from "./parted.ts";
import { parseRtmp } from "./rtmp.ts";
import { parseSrt } from "./srt.ts";

const ASCII_PRINTABLE = /^[\x21-\x7e]+$/;

/** Reads `--to` and the key given beside it. The message never repeats what could be a secret. */
export const parseDestination = (to: string, key: string | undefined): ParsedDestination => {
  const refuse = (message: string): ParsedDestination => ({ ok: false, message });
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(to)?.[1]?.toLowerCase();
  if (scheme !== "rtmp" && scheme !== "rtmps" && scheme !== "srt") {
    return refuse(
      "The destination must be a URL that starts with rtmp://, rtmps:// or srt://, such as rtmp://live.example.com/app.",
    );
  }
  if (!ASCII_PRINTABLE.test(to)) {
    return refuse(
      "The destination has a space, a control character or a letter outside ASCII in it.",
    );
  }
  const badKey = key === undefined ? null : keyProblem(key);
  if (badKey !== null) return refuse(badKey);
  const rest = to.slice(scheme.length + "://".length);
  const authority = /^[^/?#]*/.exec(rest)?.[0] ?? "";
  if (authority.includes("@")) {
    return refuse(
      "The destination has a user name or password in it, which FFmpeg could not keep out of `ps`. Leave it out; give a stream key with --key-file.",
    );
  }
  const badHost = hostProblem(authority);
  if (badHost !== null) return refuse(badHost);
  const path = rest.slice(authority.length);
  return scheme === "srt"
    ? parseSrt(authority, path, key)
    : parseRtmp(scheme, authority, path, key);
};

const keyProblem = (key: string): string | null => {
  if (/[\p{Cc}\u2028\u2029]/u.test(key))
    return "The stream key has a control character in it, a line break say.";
  if (Buffer.byteLength(key) > MAX_SECRET_BYTES) {
    return `The stream key is longer than ${MAX_SECRET_BYTES} bytes.`;
  }
  return key === "" ? "The stream key is empty." : null;
};

const hostProblem = (authority: string): string | null => {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::([0-9]*))?$/i.exec(
    authority,
  );
  if (match === null)
    return "The destination has no usable host name: write scheme://host[:port]/...";
  const port = match[2];
  if (port === undefined) return null;
  const number = Number(port);
  return port !== "" && number >= 1 && number <= 65_535
    ? null
    : "The destination's port must be 1 to 65535.";
};

/** What people and programs see of a destination. */
export const shownUrl = (url: string, hasKey: boolean): string =>
  !hasKey
    ? url
    : url.startsWith("srt:")
      ? `${url}${url.includes("?") ? "&" : "?"}****`
      : `${url}/****`;
