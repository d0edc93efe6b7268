import type { ParsedDestination } from "./parted.ts";

/** SRT parameters that are nobody's secret and may stand in the URL. */
const OPEN = new Set([
  "mode",
  "latency",
  "rcvlatency",
  "peerlatency",
  "pkt_size",
  "payload_size",
  "maxbw",
  "inputbw",
  "oheadbw",
  "pbkeylen",
  "connect_timeout",
  "transtype",
  "tlpktdrop",
  "sndbuf",
  "ipttl",
  "iptos",
  "mss",
  "ffs",
  "linger",
]);

/** SRT. The key is the passphrase; `streamid` and `passphrase` in the query are secrets too. */
export const parseSrt = (
  authority: string,
  path: string,
  key: string | undefined,
): ParsedDestination => {
  const refuse = (message: string): ParsedDestination => ({ ok: false, message });
  if (!/:[0-9]+$/.test(authority))
    return refuse("An SRT destination needs a port: write srt://host:port.");
  const query = path.indexOf("?");
  if ((query < 0 ? path : path.slice(0, query)).replaceAll("/", "") !== "") {
    return refuse(
      "An SRT destination has no path: write srt://host:port, with parameters after a question mark.",
    );
  }
  const secrets: Record<string, string> = {};
  const open: string[] = [];
  for (const pair of query < 0 ? [] : path.slice(query + 1).split("&")) {
    if (pair === "") continue;
    const name = pair.split("=", 1)[0] ?? "";
    const value = decoded(pair.slice(name.length + 1));
    if (value === null)
      return refuse("An SRT parameter has a percent sign that is not followed by two digits.");
    if ((name === "passphrase" || name === "streamid") && value !== "") secrets[name] = value;
    else if (OPEN.has(name) && /^[A-Za-z0-9._-]+$/.test(value)) open.push(`${name}=${value}`);
    else
      return refuse(
        `An SRT destination takes no such parameter, or not with that value. It takes streamid, passphrase and ${[...OPEN].join(", ")}.`,
      );
  }
  if (key !== undefined) secrets["passphrase"] = key;
  const passphrase = secrets["passphrase"];
  if (passphrase !== undefined && (passphrase.length < 10 || passphrase.length > 79)) {
    return refuse("An SRT passphrase has 10 to 79 characters.");
  }
  if (Object.values(secrets).some((value) => /[\p{Cc}]/u.test(value) || value.length > 512)) {
    return refuse("An SRT streamid has at most 512 characters, none of them a control character.");
  }
  const url = `srt://${authority}${open.length === 0 ? "" : `?${open.join("&")}`}`;
  return { ok: true, destination: { url, secrets } };
};

const decoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};
