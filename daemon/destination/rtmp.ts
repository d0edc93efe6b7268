import { MAX_SECRET_BYTES, type ParsedDestination } from "./parted.ts";

/**
 * RTMP(S). Without a key of its own, FFmpeg's rule says which part of the path is the key: of two
 * segments the second, of more all after the second. With one, the whole path is the application.
 * A query belongs to the key, or to the application where that is all there is: either may be a token.
 */
export const parseRtmp = (
  scheme: string,
  authority: string,
  path: string,
  key: string | undefined,
): ParsedDestination => {
  const query = path.indexOf("?");
  const plain = (query < 0 ? path : path.slice(0, query)).replace(/^\/+/, "").replace(/\/+$/, "");
  const token = query < 0 ? "" : path.slice(query);
  const segments = plain === "" ? [] : plain.split("/");
  // One segment after an empty one is a key whose application was left out, as by an unset variable.
  const forgotten = path.startsWith("//") && segments.length === 1;
  if (forgotten || segments.length === 0 || segments.includes("")) {
    return {
      ok: false,
      message:
        "The destination names no application: write rtmp://host/app, and give the key with --key-file.",
    };
  }
  const inUrl = key === undefined && segments.length > 1;
  const appLength = inUrl ? levelsOfApp(segments) : segments.length;
  if (key === undefined && !inUrl && token !== "") {
    // FFmpeg, told the application by an option, would take the URL's path for the key.
    return {
      ok: false,
      message: "The destination has a token but no key: give the key with --key-file.",
    };
  }
  const app = segments.slice(0, appLength).join("/");
  const secrets: Record<string, string> = {};
  if (inUrl) secrets["rtmp_playpath"] = segments.slice(appLength).join("/") + token;
  else if (key !== undefined) secrets["rtmp_playpath"] = key;
  // Without this option FFmpeg would take an application's second level for the key, and a token of
  // the application's would have to stand in the URL.
  if (appLength > 1 || (!inUrl && token !== "")) secrets["rtmp_app"] = app + (inUrl ? "" : token);
  if (Object.values(secrets).some((value) => Buffer.byteLength(value) > MAX_SECRET_BYTES)) {
    return { ok: false, message: `The stream key is longer than ${MAX_SECRET_BYTES} bytes.` };
  }
  return { ok: true, destination: { url: `${scheme}://${authority}/${app}`, secrets } };
};

/** FFmpeg's rule: two levels where there are three segments or more, but for these two forms. */
const levelsOfApp = ([first, second, ...rest]: readonly string[]): number =>
  first === "ondemand" || rest.length === 0 || second?.includes(":") === true ? 1 : 2;
