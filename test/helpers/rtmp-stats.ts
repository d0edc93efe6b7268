import http from "node:http";
import { type Element, all, element, numberIn, textIn } from "./xml.ts";

export type StreamStats = {
  readonly app: string;
  readonly name: string;
  /** Since the first client of the stream came, in milliseconds. */
  readonly timeMs: number;
  /** Media received since then, in bytes; starts again with the next publisher. */
  readonly bytesIn: number;
  /** Over the last seconds, in bits per second. */
  readonly bwIn: number;
  readonly publishers: number;
  /** Publishers and players. */
  readonly clientsCount: number;
  readonly videoCodec: string | null;
  readonly audioCodec: string | null;
};

export type RtmpStats = {
  readonly uptimeS: number;
  /** Every byte received by the server, protocol included. */
  readonly bytesIn: number;
  /** Connections ever accepted. */
  readonly accepted: number;
  readonly streams: readonly StreamStats[];
};

const get = async (url: string, timeoutMs: number): Promise<string> => {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const request = http.get(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) });
  request.on("error", reject);
  request.on("response", (response) => {
    let text = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => (text += chunk));
    response.on("error", reject);
    response.on("end", () => resolve(text));
  });
  return promise;
};

const streamStats = (app: string, stream: Element): StreamStats => {
  const codec = (kind: "video" | "audio"): string | null =>
    all(stream, "meta").flatMap((meta) => all(meta, kind).map((one) => textIn(one, "codec")))[0] ||
    null;
  return {
    app,
    name: textIn(stream, "name"),
    timeMs: numberIn(stream, "time"),
    bytesIn: numberIn(stream, "bytes_in"),
    bwIn: numberIn(stream, "bw_in"),
    publishers: all(stream, "client").filter((client) => all(client, "publishing").length > 0)
      .length,
    clientsCount: numberIn(stream, "nclients"),
    videoCodec: codec("video"),
    audioCodec: codec("audio"),
  };
};

/** What nginx's page says, as XML, turned into numbers. */
export const parseStats = (xml: string): RtmpStats => {
  const [rtmp] = all(element(xml), "rtmp");
  if (rtmp === undefined) throw new Error(`not a page of nginx's RTMP module: ${xml.slice(0, 80)}`);
  const applications = all(rtmp, "server").flatMap((server) => all(server, "application"));
  const streams = applications.flatMap((application) =>
    all(application, "live")
      .flatMap((live) => all(live, "stream"))
      .map((stream) => streamStats(textIn(application, "name"), stream)),
  );
  return {
    uptimeS: numberIn(rtmp, "uptime"),
    bytesIn: numberIn(rtmp, "bytes_in"),
    accepted: numberIn(rtmp, "naccepted"),
    streams,
  };
};

export const fetchStats = async (url: string, timeoutMs = 1000): Promise<RtmpStats> =>
  parseStats(await get(url, timeoutMs));
