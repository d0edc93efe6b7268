/** What a real FFmpeg wrote, or is known to write, at one failure. */
export type Words = {
  /** Id of the row of the failure table that it belongs to. */
  readonly row: string;
  /** 5.1.9 and 7.0.2: recorded. Else where the words stand. */
  readonly from: string;
  /** As a shell has it; null where nobody was there to see. */
  readonly status: number | null;
  /** How much of the broadcast there was; left out where none began. */
  readonly sentMs?: number;
  readonly log: string;
};

const SOURCE = "FFmpeg's source";
const PRESS = "Press [q] to stop, [?] for help\n";

/** A failure to open the output, as 6.1 and later tell it after the protocol's own line. */
const unopened = (url: string, why: string): string =>
  `[out#0/flv @ 0x1] Error opening output ${url}: ${why}\nError opening output file ${url}.\nError opening output files: ${why}\n`;

const EXITS: readonly Words[] = [
  { row: "killed-hard", from: "5.1.9", status: 137, log: PRESS },
  { row: "killed-hard", from: "5.1.9", status: 137, log: "rtmp://h/app: Connection refused" },
  { row: "ended-by-signal", from: "5.1.9", status: 143, log: "" },
  {
    row: "asked-to-end",
    from: "5.1.9",
    status: 255,
    log: `${PRESS}video:118kB audio:61kB subtitle:0kB other streams:0kB global headers:0kB muxing overhead: 3%\nExiting normally, received signal 15.\n`,
  },
  { row: "crashed", from: "5.1.9", status: 139, log: PRESS },
  { row: "crashed", from: "glibc", status: 134, log: "double free or corruption (out)\n" },
  { row: "input-ended", from: "5.1.9", status: 0, log: "whatever: Connection refused" },
  {
    row: "input-gone-meanwhile",
    from: "5.1.9",
    status: 0,
    log: `${PRESS}[concat @ 0x1] Impossible to open 'item-0.mp4'\n[concat @ 0x1] Impossible to open 'cycle.ffconcat'\nouter.ffconcat: No such file or directory\nframe=   52 fps= 26 q=-1.0 Lsize=     147kB time=00:00:01.96 bitrate= 614.9kbits/s speed=0.996x    \nvideo:146kB audio:0kB subtitle:0kB other streams:0kB global headers:0kB muxing overhead: 0.892899%\n`,
  },
  {
    row: "input-gone-meanwhile",
    from: "7.0.2",
    status: 0,
    log: `${PRESS}[concat @ 0x1] Impossible to open 'item-0.mp4'\n[concat @ 0x1] Impossible to open 'cycle.ffconcat'\n[in#0/concat @ 0x1] Error during demuxing: No such file or directory\n[out#0/flv @ 0x1] video:146KiB audio:0KiB subtitle:0KiB other streams:0KiB global headers:0KiB muxing overhead: 0.892230%\n`,
  },
  {
    row: "input-spoilt-meanwhile",
    from: "5.1.9",
    status: 0,
    log: `${PRESS}[mov,mp4,m4a,3gp,3g2,mj2 @ 0x1] moov atom not found\n[concat @ 0x1] Impossible to open 'item-0.mp4'\n[concat @ 0x1] Impossible to open 'cycle.ffconcat'\nouter.ffconcat: Invalid data found when processing input\n`,
  },
  {
    row: "input-spoilt-meanwhile",
    from: "7.0.2",
    status: 0,
    log: `${PRESS}[h264 @ 0x1] Invalid NAL unit size (4478 > 781).\n[h264 @ 0x1] missing picture in access unit with size 785\n[concat @ 0x1] h264_mp4toannexb filter failed to receive output packet\n[in#0/concat @ 0x1] Error during demuxing: Invalid data found when processing input\n`,
  },
  { row: "unseen", from: "no exit on record", status: null, log: "" },
  {
    row: "cannot-run",
    from: "setsid of util-linux 2.38",
    status: 127,
    log: "setsid: failed to execute ffmpeg: No such file or directory\n",
  },
  { row: "cannot-run", from: "a shell", status: 126, log: "" },
  { row: "unexplained", from: "5.1.9", status: 1, log: "" },
  { row: "unexplained", from: "nobody", status: 99, log: "something new" },
];

const MACHINE: readonly Words[] = [
  {
    row: "disk-full",
    from: "5.1.9",
    status: 1,
    log: `${PRESS}av_interleaved_write_frame(): No space left on device\nError writing trailer of /dev/full: No space left on device\nConversion failed!\n`,
  },
  {
    row: "disk-full",
    from: "strerror",
    status: 1,
    log: "av_interleaved_write_frame(): Disk quota exceeded",
  },
  {
    row: "no-threads",
    from: "7.0.2, prlimit --as",
    status: 245,
    log: "[in#0/concat @ 0x1] pthread_create() failed: Resource temporarily unavailable\nConversion failed!\n",
  },
  {
    row: "no-threads",
    from: "5.1.9, prlimit --as",
    status: 1,
    log: "Stream mapping:\n  Stream #0:0 -> #0:0 (h264 (native) -> h264 (libx264))\nError while opening decoder for input stream #0:0 : Resource temporarily unavailable\n",
  },
  {
    row: "allocation-failed",
    from: "5.1.9, prlimit --as",
    status: 1,
    log: `${PRESS}[libx264 @ 0x1] using cpu capabilities: MMX2 SSE2Fast SSSE3 SSE4.2 AVX FMA3 BMI2 AVX2\nx264 [error]: malloc of size 5353683 failed\nError initializing output stream 0:0 -- Error while opening encoder for output stream #0:0 - maybe incorrect parameters such as bit_rate, rate, width or height\n[aac @ 0x1] Qavg: 150.461\n[aac @ 0x1] 2 frames left in the queue on closing\nConversion failed!\n`,
  },
  {
    row: "allocation-failed",
    from: "5.1.9, prlimit --as",
    status: 127,
    log: "ffmpeg: error while loading shared libraries: libaom.so.3: failed to map segment from shared object\n",
  },
  {
    row: "out-of-memory",
    from: "strerror",
    status: 1,
    log: "item-0.mp4: Cannot allocate memory\n",
  },
  {
    row: "libraries",
    from: "glibc",
    status: 127,
    log: "ffmpeg: error while loading shared libraries: libx264.so.164: cannot open shared object file: No such file or directory\n",
  },
  {
    row: "encoder",
    from: "7.0.2 with an NVIDIA card",
    status: 1,
    log: "[h264_nvenc @ 0x1] OpenEncodeSessionEx failed: out of memory (10): (no details)\n[h264_nvenc @ 0x1] No capable devices found\nConversion failed!",
  },
  {
    row: "encoder",
    from: "7.0.2",
    status: 218,
    log: "[vost#0:0/h264_nvenc @ 0x1] Error while opening encoder - maybe incorrect parameters such as bit_rate, rate, width or height.",
  },
  {
    row: "encoder",
    from: "5.1.9",
    status: 1,
    log: "[h264_vaapi @ 0x1] Failed to upload encode parameters: 18 (invalid parameter).\nVideo encoding failed",
  },
  {
    row: "no-such-codec",
    from: "7.0.2",
    status: 8,
    log: "[vost#0:0 @ 0x1] Unknown encoder 'libx265'\n[vost#0:0 @ 0x1] Error selecting an encoder\nError opening output file -.\nError opening output files: Encoder not found\n",
  },
  { row: "no-such-codec", from: "5.1.9", status: 1, log: "Unknown encoder 'libx265'\n" },
  {
    row: "no-such-option",
    from: "5.1.9",
    status: 1,
    log: "Unrecognized option 'x'.\nError splitting the argument list: Option not found",
  },
  {
    row: "no-such-option",
    from: "5.1.9",
    status: 1,
    log: "p.ffpreset: Invalid option or argument: 'nosuch=1\n', parsed as 'nosuch' = '1'",
  },
  { row: "no-such-protocol", from: "5.1.9", status: 1, log: "srt://h:1: Protocol not found" },
  {
    row: "no-such-protocol",
    from: "7.0.2",
    status: 8,
    log: unopened("srt://h:1", "Protocol not found"),
  },
];

const REACHING: readonly Words[] = [
  {
    row: "no-such-name",
    from: "5.1.9",
    status: 1,
    log: "[tcp @ 0x1] Failed to resolve hostname h: Name or service not known\n[rtmp @ 0x1] Cannot open connection tcp://h:1935?tcp_nodelay=0\nrtmp://h/app: Input/output error\n",
  },
  {
    row: "no-such-name",
    from: "5.1.9",
    status: 1,
    log: "[tcp @ 0x1] Failed to resolve hostname h: Name or service not known\n[rtmps @ 0x1] Cannot open connection tls://h:443\nrtmps://h/app: Input/output error\n",
  },
  {
    row: "no-such-name",
    from: "5.1.9",
    status: 1,
    log: "[srt @ 0x1] Failed to resolve hostname h: Name or service not known\nsrt://h:90: Input/output error\n",
  },
  {
    row: "resolver-silent",
    from: "5.1.9",
    status: 1,
    log: "[tcp @ 0x1] Failed to resolve hostname h: Temporary failure in name resolution\n[rtmp @ 0x1] Cannot open connection tcp://h:1935?tcp_nodelay=0\nrtmp://h/app: Input/output error\n",
  },
  {
    row: "refused",
    from: "5.1.9",
    status: 1,
    log: "[tcp @ 0x1] Connection to tcp://h:1?tcp_nodelay=0 failed: Connection refused\n[rtmp @ 0x1] Cannot open connection tcp://h:1?tcp_nodelay=0\nrtmp://h:1/app: Connection refused\n",
  },
  {
    row: "refused",
    from: "7.0.2",
    status: 145,
    log: `[tcp @ 0x1] Connection to tcp://h:1 failed: Connection refused\n[rtmps @ 0x1] Cannot open connection tls://h:1\n${unopened("rtmps://h:1/app", "Connection refused")}`,
  },
  {
    row: "refused",
    from: "nobody saw the exit",
    status: null,
    log: "rtmp://h/app: Connection refused",
  },
  {
    row: "unreachable",
    from: "7.0.2",
    status: 143,
    log: `[tcp @ 0x1] Connection to tcp://h:1935?tcp_nodelay=0 failed: No route to host\n[rtmp @ 0x1] Cannot open connection tcp://h:1935?tcp_nodelay=0\n${unopened("rtmp://h/app", "No route to host")}`,
  },
  {
    row: "unreachable",
    from: "5.1.9",
    status: 1,
    log: "[tcp @ 0x1] Connection to tcp://h:1935?tcp_nodelay=0 failed: Network is unreachable\n[rtmp @ 0x1] Cannot open connection tcp://h:1935?tcp_nodelay=0\nrtmp://h/app: Network is unreachable\n",
  },
  {
    row: "unreachable",
    from: "a report: a local firewall",
    status: 1,
    log: "[tcp @ 0x1] Connection to tcp://h:1935 failed: Permission denied\n",
  },
  {
    row: "connect-timed-out",
    from: "5.1.9",
    status: 1,
    log: "[tcp @ 0x1] Connection to tcp://h:443 failed: Connection timed out\n[rtmps @ 0x1] Cannot open connection tls://h:443\nrtmps://h/app: Connection timed out\n",
  },
  {
    row: "connect-timed-out",
    from: "7.0.2",
    status: 146,
    log: `[tcp @ 0x1] Connection to tcp://h:1935?tcp_nodelay=0 failed: Connection timed out\n[rtmp @ 0x1] Cannot open connection tcp://h:1935?tcp_nodelay=0\n${unopened("rtmp://h/app", "Connection timed out")}`,
  },
  {
    row: "certificate",
    from: `${SOURCE}: libavformat/tls_gnutls.c`,
    status: 1,
    log: "[tls @ 0x1] Peer certificate failed verification\n[rtmps @ 0x1] Cannot open connection tls://h:443\nrtmps://h/app: Input/output error\n",
  },
  {
    row: "certificate",
    from: `${SOURCE}: libavformat/tls_openssl.c`,
    status: 1,
    log: "[tls @ 0x1] error:0A000086:SSL routines::certificate verify failed\n[rtmps @ 0x1] Cannot open connection tls://h:443\nrtmps://h/app: Input/output error\n",
  },
  {
    row: "tls",
    from: "5.1.9 against nginx's RTMP port",
    status: 1,
    log: "[tls @ 0x1] Error in the pull function.\n[tls @ 0x1] IO error: Connection timed out\n[rtmps @ 0x1] Cannot open connection tls://h:1935\nrtmps://h:1935/app: Connection timed out\n",
  },
  {
    row: "tls",
    from: "7.0.2 against an HTTP server",
    status: 251,
    log: `[tls @ 0x1] An unexpected TLS packet was received.\n[rtmps @ 0x1] Cannot open connection tls://h:80\n${unopened("rtmps://h:80/app", "Input/output error")}`,
  },
  {
    row: "rtmp-hung-up",
    from: "5.1.9 against an HTTP server",
    status: 1,
    log: "[rtmp @ 0x1] Cannot read RTMP handshake response\nrtmp://h:80/app: End of file\n",
  },
  {
    row: "no-rtmp",
    from: "5.1.9 against a server that sets the size of its chunks to -1",
    status: 1,
    log: "[rtmp @ 0x1] Incorrect chunk size -1\nrtmp://h:1935/live: Invalid data found when processing input\n",
  },
  {
    row: "no-rtmp",
    from: "5.1.9 against a server that says anything",
    status: 1,
    log: "[tcp @ 0x1] RTMP packet size mismatch 7628146 != 1792818\nrtmp://h:1935/live: Input/output error\n",
  },
  {
    row: "rtmp-silent",
    from: "5.1.9 against a server that reads and says nothing",
    status: 1,
    log: "[rtmp @ 0x1] Cannot read RTMP handshake response\nrtmp://h/app: Connection timed out\n",
  },
  {
    row: "srt-passphrase",
    from: "5.1.9 with libsrt 1.5.1",
    status: 1,
    log: "13:16:01.178970/SRT:RcvQ:w1!W:SRT.cn: processAsyncConnectRequest: REJECT reported from HS processing: Incorrect passphrase - not processing further\n[srt @ 0x1] Connection to srt://h:1 failed: Input/output error\nsrt://h:1: Input/output error\n",
  },
  {
    row: "srt-passphrase",
    from: "7.0.2",
    status: 251,
    log: `13:16:24.780137/SRT:RcvQ:w1!W:SRT.cn: processAsyncConnectRequest: REJECT reported from HS processing: Password required or unexpected - not processing further\n[srt @ 0x1] Connection to srt://h:1 failed: Input/output error\n${unopened("srt://h:1", "Input/output error")}`,
  },
  {
    row: "srt-rejected",
    from: "libsrt's source: srtcore/core.cpp",
    status: 1,
    log: "13:16:01.178970/SRT:RcvQ:w1!W:SRT.cn: processAsyncConnectRequest: REJECT reported from HS processing: Peer rejected connection - not processing further\n[srt @ 0x1] Connection to srt://h:1 failed: Input/output error\nsrt://h:1: Input/output error\n",
  },
  {
    row: "srt-no-answer",
    from: "5.1.9",
    status: 1,
    log: "[srt @ 0x1] Connection to srt://h:1 failed: Input/output error\nsrt://h:1: Input/output error\n",
  },
  {
    row: "srt-no-answer",
    from: "7.0.2",
    status: 251,
    log: `[srt @ 0x1] Connection to srt://h:1 failed: Input/output error\n${unopened("srt://h:1", "Input/output error")}`,
  },
];

/** The same as musl has it, on Alpine. */
const MUSL: readonly Words[] = [
  {
    row: "resolver-silent",
    from: "musl's gai_strerror",
    status: 1,
    log: "[tcp @ 0x1] Failed to resolve hostname h: Try again\nrtmp://h/app: I/O error\n",
  },
  {
    row: "no-such-name",
    from: "musl's gai_strerror",
    status: 1,
    log: "[tcp @ 0x1] Failed to resolve hostname h: Name does not resolve\nrtmp://h/app: I/O error\n",
  },
  {
    row: "unreachable",
    from: "musl's strerror",
    status: 1,
    log: "[tcp @ 0x1] Connection to tcp://h:1935 failed: Network unreachable\nrtmp://h/app: Network unreachable\n",
  },
  {
    row: "connect-timed-out",
    from: "musl's strerror",
    status: 1,
    log: "[tcp @ 0x1] Connection to tcp://h:1935 failed: Operation timed out\nrtmp://h/app: Operation timed out\n",
  },
  { row: "closed-silently", from: "musl's strerror", status: 1, log: "rtmp://h/app: I/O error\n" },
];

const answer = (
  row: string,
  from: string,
  said: string,
  why = "Operation not permitted",
): Words => ({
  ...{ row, from, status: 1 },
  log: `[rtmp @ 0x1] Server error: ${said}\nrtmp://h/app: ${why}\n`,
});

/** FFmpeg prints the `description` of what a server answers, and where that is empty its `code`. */
const ANSWERS: readonly Words[] = [
  answer("busy", "nginx-rtmp's ngx_rtmp_live_module.c; recorded", "Already publishing"),
  {
    row: "busy",
    from: "7.0.2 against nginx",
    status: 255,
    log: `[rtmp @ 0x1] Server error: Already publishing\n${unopened("rtmp://h/app", "Operation not permitted")}`,
  },
  answer("busy", "Node-Media-Server", "Stream already publishing"),
  answer("busy", "Node-Media-Server", "Connection already publishing"),
  answer("busy", "Adobe: somebody else publishes under the name", "NetStream.Publish.BadName"),
  answer("key", "Twitch, in reports", "Authentication Failed.", "Input/output error"),
  answer("key", "MediaMTX: gortmplib's server_conn.go", "authentication failed"),
  answer("key", "Node-Media-Server", "Authorization required."),
  answer("key", "Node-Media-Server's users", "Invalid stream key"),
  answer("key", "Wowza, in reports: its code alone", "NetStream.Publish.Denied"),
  answer("key", "Node-Media-Server: its code alone", "NetStream.publish.Unauthorized"),
  {
    row: "key",
    from: `${SOURCE}: handle_connect_error in libavformat/rtmpproto.c`,
    status: 1,
    log: "[rtmp @ 0x1] Authentication failed\nrtmp://h/app: Unknown error occurred\n",
  },
  answer("credentials", "MediaMTX: gortmplib", "code=403 need auth; authmod=adobe"),
  answer("credentials", "MediaMTX: gortmplib", "authmod=adobe ?reason=authfailed"),
  {
    row: "credentials",
    from: "Wowza, in reports",
    status: 1,
    log: "[rtmp @ 0x1] No credentials set\n[rtmp @ 0x1] Server error: [ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : \nrtmp://h/app: Unknown error occurred\n",
  },
  answer("application", "MonaServer", "InvalidApp."),
  answer("application", "Adobe: its code alone", "NetConnection.Connect.InvalidApp"),
  answer("application", "brpc: its code alone", "NetStream.Play.StreamNotFound"),
  answer("rejected", "a server's own trouble", "Out of memory"),
  answer("rejected", "SRS: srs_protocol_rtmp_stack.cpp", "RTMP 302 Redirect"),
  answer("rejected", "Adobe: its code alone", "NetConnection.Connect.Rejected"),
  answer("rejected", "Adobe: its code alone", "NetConnection.Connect.Failed"),
  {
    row: "closed-silently",
    from: "5.1.9 against nginx: an unknown application, or on_publish says 403; SRS does the same",
    status: 1,
    log: "rtmp://h/app: Input/output error\n",
  },
  {
    row: "closed-silently",
    from: "7.0.2 against nginx",
    status: 251,
    log: unopened("rtmp://h/app", "Input/output error"),
  },
  {
    row: "closed-silently",
    from: "a server without Adobe's calls, which FFmpeg only reports",
    status: 1,
    log: "[rtmp @ 0x1] Server error: Method not found (releaseStream).\nrtmp://h/app: Input/output error\n",
  },
];

const RESET = `${PRESS}av_interleaved_write_frame(): Connection reset by peer\nError writing trailer of rtmp://h/app: Connection reset by peer\nError closing file rtmp://h/app: Broken pipe\nConversion failed!\n`;
const PIPE = `${PRESS}[vost#0:0/copy @ 0x1] Error submitting a packet to the muxer: Broken pipe\n[out#0/flv @ 0x1] Error muxing a packet\n[out#0/flv @ 0x1] Task finished with error code: -32 (Broken pipe)\n[out#0/flv @ 0x1] Terminating thread with return code -32 (Broken pipe)\n[out#0/flv @ 0x1] Error writing trailer: Broken pipe\n[out#0/flv @ 0x1] Error closing file: Broken pipe\nConversion failed!\n`;

const SENDING: readonly Words[] = [
  {
    row: "closed-at-once",
    from: "5.1.9 against nginx's deny publish",
    ...{ status: 1, sentMs: 170, log: RESET },
  },
  {
    row: "closed-at-once",
    from: "7.0.2 against nginx's deny publish",
    ...{ status: 224, sentMs: 0, log: PIPE },
  },
  { row: "lost", from: "5.1.9", status: 1, sentMs: 60_000, log: RESET },
  { row: "lost", from: "7.0.2", status: 224, sentMs: 60_000, log: PIPE },
  { row: "lost", from: "5.1.9, progress unknown", status: 1, log: RESET },
  {
    row: "lost",
    from: "a report: 6.0 to Facebook by RTMPS",
    ...{ status: 1, sentMs: 131_000 },
    log: `${PRESS}[tls @ 0x1] Error in the push function.\n[tls @ 0x1] IO error: Broken pipe\nav_interleaved_write_frame(): Broken pipe\nError writing trailer of rtmps://h/app: Broken pipe\n`,
  },
  {
    row: "lost",
    from: "5.1.9 by SRT",
    ...{ status: 1, sentMs: 8_870 },
    log: `${PRESS}av_interleaved_write_frame(): Input/output error\nError writing trailer of srt://h:1: Input/output error\nError closing file srt://h:1: Input/output error\nConversion failed!\n`,
  },
  {
    row: "lost",
    from: "7.0.2 by SRT",
    ...{ status: 251, sentMs: 9_640 },
    log: `${PRESS}[vost#0:0/copy @ 0x1] Error submitting a packet to the muxer: Input/output error\n[out#0/mpegts @ 0x1] Error muxing a packet\n[out#0/mpegts @ 0x1] Error writing trailer: Input/output error\nConversion failed!\n`,
  },
  {
    row: "lost",
    from: "5.1.9, a damaged film",
    status: 1,
    log: "Error while decoding stream #0:1: Invalid data found when processing input\nav_interleaved_write_frame(): Broken pipe\nError while decoding stream #0:1: Invalid data found when processing input\nError writing trailer of rtmp://h/app: Broken pipe\nConversion failed!",
  },
  {
    row: "lost",
    from: "5.1.9, a damaged film",
    status: 1,
    log: `av_interleaved_write_frame(): Connection reset by peer\n${"Error while decoding stream #0:0: Invalid data found when processing input\n".repeat(20)}`,
  },
  {
    row: "lost",
    from: "7.0.2, a damaged film",
    status: 224,
    log: "[dec:aac @ 0x1] Error submitting packet to decoder: Invalid data found when processing input\n[out#0/flv @ 0x2] Error muxing a packet\n[out#0/flv @ 0x2] Error writing trailer: Broken pipe",
  },
  {
    row: "lost",
    from: "5.1.9, a damaged film",
    status: 1,
    log: "item-0.mkv: Invalid data found when processing input\nav_interleaved_write_frame(): Broken pipe",
  },
  {
    row: "lost",
    from: `${SOURCE}: the header could not be sent`,
    status: 1,
    log: "Could not write header for output file #0 (incorrect codec parameters ?): Broken pipe",
  },
  {
    row: "stuck",
    from: "5.1.9, a receiver stopped by SIGSTOP, -rw_timeout",
    ...{ status: 1, sentMs: 20_000 },
    log: `${PRESS}av_interleaved_write_frame(): Connection timed out\nError writing trailer of rtmp://h/app: Connection timed out\n`,
  },
  {
    row: "stuck",
    from: "7.0.2, the same",
    ...{ status: 146, sentMs: 7_280 },
    log: `${PRESS}[out#0/flv @ 0x1] Error muxing a packet\n[out#0/flv @ 0x1] Task finished with error code: -110 (Connection timed out)\n[out#0/flv @ 0x1] Terminating thread with return code -110 (Connection timed out)\n[out#0/flv @ 0x1] Error writing trailer: Connection timed out\n[out#0/flv @ 0x1] Error closing file: Connection timed out\nConversion failed!\n`,
  },
];

const MEDIA: readonly Words[] = [
  {
    row: "input-gone",
    from: "5.1.9",
    status: 1,
    log: "[concat @ 0x1] Impossible to open 'item-0.mp4'\n/run/x/outer.ffconcat: No such file or directory",
  },
  { row: "input-gone", from: "7.0.2", status: 254, log: "item-0.mp4: No such file or directory" },
  {
    row: "not-media",
    from: "5.1.9",
    status: 1,
    log: "[mov,mp4 @ 0x1] moov atom not found\n[concat @ 0x1] Impossible to open 'item'\nx: Invalid data found when processing input",
  },
  {
    row: "not-media",
    from: "7.0.2",
    status: 183,
    log: "x: Invalid data found when processing input",
  },
  {
    row: "not-media",
    from: "5.1.9",
    status: 1,
    log: "av_interleaved_write_frame(): Invalid data found when processing input\nError writing trailer of rtmp://h/app: Invalid data found when processing input",
  },
  {
    row: "not-media",
    from: "5.1.9",
    status: 1,
    log: "rtmp://h/app: End of file\nx: Invalid data found when processing input",
  },
  {
    row: "bad-times",
    from: `${SOURCE}: compute_muxer_pkt_fields in libavformat/mux.c`,
    status: 1,
    log: `${PRESS}[flv @ 0x1] Application provided invalid, non monotonically increasing dts to muxer in stream 0: 512 >= 0\nav_interleaved_write_frame(): Invalid argument\n`,
  },
  {
    row: "bad-times",
    from: `${SOURCE}: 7.0`,
    status: 234,
    log: `${PRESS}[vost#0:0/copy @ 0x1] Error submitting a packet to the muxer: Invalid argument\n[out#0/flv @ 0x1] Error muxing a packet\n`,
  },
  {
    row: "no-times",
    from: "5.1.9",
    status: 1,
    log: `${PRESS}[flv @ 0x1] Packet is missing PTS\nav_interleaved_write_frame(): Invalid argument\nConversion failed!\n`,
  },
  {
    row: "no-times",
    from: "7.0.2, AVI with B-frames",
    status: 234,
    log: `${PRESS}[flv @ 0x1] Packet is missing PTS\n[vost#0:0/copy @ 0x1] Error submitting a packet to the muxer: Invalid argument\n[out#0/flv @ 0x1] Error muxing a packet\nConversion failed!\n`,
  },
  {
    row: "not-for-container",
    from: "5.1.9",
    status: 1,
    log: "[flv @ 0x1] Audio codec opus not compatible with flv\nCould not write header for output file #0 (incorrect codec parameters ?): Function not implemented\n",
  },
];

export const WORDS: readonly Words[] = [
  ...EXITS,
  ...MACHINE,
  ...REACHING,
  ...MUSL,
  ...ANSWERS,
  ...SENDING,
  ...MEDIA,
];
