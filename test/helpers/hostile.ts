import { readFileSync, writeFileSync } from "node:fs";

type Box = { readonly at: number; readonly size: number; readonly type: string };

const boxes = (bytes: Buffer, from: number, to: number): Box[] => {
  const found: Box[] = [];
  for (let at = from; at + 8 <= to;) {
    const size = bytes.readUInt32BE(at);
    if (size < 8) break;
    found.push({ at, size, type: bytes.toString("latin1", at + 4, at + 8) });
    at += size;
  }
  return found;
};

/** An alias as Apple's, that names a file by its whole path. */
const alias = (file: string): Buffer => {
  const name = Buffer.from(file);
  const body = Buffer.alloc(150);
  body.writeUInt8(1, 10);
  body.write("v", 11, "latin1");
  const end = Buffer.from([0xff, 0xff, 0, 0]);
  const head = Buffer.alloc(4);
  head.writeInt16BE(2, 0);
  head.writeUInt16BE(name.length, 2);
  const padded = Buffer.concat([name, Buffer.alloc(name.length % 2)]);
  const entry = Buffer.concat([Buffer.alloc(12), body, head, padded, end]);
  entry.writeUInt32BE(entry.length, 0);
  entry.write("alis", 4, "latin1");
  return entry;
};

/** A copy of an MP4 whose index comes last, of which every track says that its media lie in `elsewhere`. */
export const withExternalMedia = (film: string, target: string, elsewhere: string): void => {
  let bytes: Buffer = readFileSync(film);
  const way = ["moov", "trak", "mdia", "minf", "dinf", "dref"];
  // From the last track on, so that what was found before stays where it was.
  const [moov] = boxes(bytes, 0, bytes.length).filter(({ type }) => type === "moov");
  if (moov === undefined) throw new Error("no index");
  const tracks = boxes(bytes, moov.at + 8, moov.at + moov.size).filter(
    ({ type }) => type === "trak",
  );
  for (const track of tracks.toReversed()) {
    const parents: number[] = [moov.at];
    let inside: Box = track;
    for (const type of way.slice(2)) {
      parents.push(inside.at);
      const next = boxes(bytes, inside.at + 8, inside.at + inside.size).find(
        (box) => box.type === type,
      );
      if (next === undefined) throw new Error(`no ${type}`);
      inside = next;
    }
    parents.push(inside.at);
    const entry = alias(elsewhere);
    const at = inside.at + 16;
    const old = bytes.readUInt32BE(at);
    bytes = Buffer.concat([bytes.subarray(0, at), entry, bytes.subarray(at + old)]);
    for (const parent of parents)
      bytes.writeUInt32BE(bytes.readUInt32BE(parent) + entry.length - old, parent);
  }
  writeFileSync(target, bytes);
};

/** Texts that name other files and hosts, as demuxers of FFmpeg would read them. */
export const scripts = (secret: string, host: string): Readonly<Record<string, string>> => {
  const hls = (target: string): string =>
    `#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXTINF:4.0,\n${target}\n#EXT-X-ENDLIST\n`;
  const mpd = `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>file://${secret}</BaseURL></Representation></AdaptationSet></Period></MPD>\n`;
  const master = `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile://${secret}\n`;
  const sdp = `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video ${host.split(":")[1]} RTP/AVP 96\na=rtpmap:96 H264/90000\n`;
  return {
    "hls-file.m3u8": hls(`file://${secret}`),
    "hls-file.mp4": hls(secret),
    "hls-http.mp4": hls(`http://${host}/x.ts`),
    "hls-key.m3u8": hls(secret).replace(
      "#EXTINF",
      `#EXT-X-KEY:METHOD=AES-128,URI="file://${secret}"\n#EXTINF`,
    ),
    "hls-master.mkv": master,
    "hls-concat.ts": hls(`concat:${secret}|${secret}`),
    "ffconcat.mp4": `ffconcat version 1.0\nfile '${secret}'\n`,
    "ffconcat-http.mp4": `ffconcat version 1.0\nfile http://${host}/x.mp4\n`,
    "ffconcat-subfile.mkv": `ffconcat version 1.0\nfile 'subfile,,start,0,end,999,,:${secret}'\n`,
    "dash.mpd": mpd,
    "dash.mp4": mpd,
    "session.sdp": sdp,
    "session.mp4": sdp,
    "vobsub.idx":
      "# VobSub index file, v7 (do not modify this line!)\nid: en, index: 0\ntimestamp: 00:00:00:000, filepos: 000000000\n",
    "reference.mov": `RTSPtextRTSP://${host}/x\n`,
    "list.asx": `<ASX version="3.0"><ENTRY><REF HREF="http://${host}/x"/></ENTRY></ASX>\n`,
    "playlist.asf": `[Reference]\nRef1=http://${host}/x.asf?MSWMExt=.asf\n`,
    "titles.ass": `[Script Info]\nScriptType: v4.00+\n[Events]\nDialogue: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,x\n[Fonts]\nfontname: ${secret}\n`,
    "options.mp4": `-i ${secret} -f null -\n`,
  };
};
