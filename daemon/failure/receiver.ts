import type { Row } from "./row.ts";

/** What TCP and the name service say before a receiver is even reached. */
const UNREACHED: readonly Row[] = [
  {
    id: "resolver-silent",
    reason: "dns",
    permanent: false,
    said: /temporary failure in name resolution|failed to resolve hostname[^\n]*try again/i,
    happened: "the name HOST could not be looked up: no name server answers",
    advice: "Is this machine's network up? See /etc/resolv.conf",
  },
  {
    id: "no-such-name",
    reason: "dns",
    permanent: false,
    said: /failed to resolve hostname|name or service not known/i,
    happened: "the name HOST could not be looked up",
    advice: "Is it spelled right? streambro set NAME --to URL changes it",
  },
  {
    id: "refused",
    reason: "connection-refused",
    permanent: false,
    said: /connection refused/i,
    happened: "HOST refused the connection",
    advice: "Is the server running there, and is the port right?",
  },
  {
    id: "unreachable",
    reason: "timed-out",
    permanent: false,
    said: /no route to host|network (?:is )?unreachable|host is unreachable|connection to [^\n]* failed: permission denied/i,
    happened: "HOST cannot be reached: there is no way to it from here",
    advice: "Check this machine's network, VPN and firewall",
  },
  {
    id: "connect-timed-out",
    reason: "timed-out",
    permanent: false,
    said: /connection to (?:tcp|tls)[^\n]* failed: (?:connection|operation) timed out/i,
    happened: "HOST did not answer",
    advice: "Is the address right and the machine up? A firewall on the way may drop the packets",
  },
];

/** The receiver was reached, and what it speaks is not what was expected. */
const HANDSHAKE: readonly Row[] = [
  {
    id: "certificate",
    reason: "tls-failed",
    permanent: false,
    // FFmpeg 5 to 7 look at it only where they are told to.
    said: /certificate (?:failed verification|verify failed)|unable to verify peer certificate|certificate's owner does not match/i,
    happened: "the TLS certificate of HOST was not accepted",
    advice: "Is it the right name, has its certificate run out, and is this machine's clock right?",
  },
  {
    id: "tls",
    reason: "tls-failed",
    permanent: false,
    said: /cannot open connection tls:/i,
    happened: "HOST took the connection but no TLS came about",
    advice: "Is this its RTMPS port, usually 443? A plain RTMP port, usually 1935, needs rtmp://",
  },
  {
    id: "rtmp-silent",
    reason: "timed-out",
    permanent: false,
    said: /cannot read rtmp handshake[^]*timed out/i,
    happened: "HOST took the connection and then said nothing",
    advice: "Is this an RTMP port? The server may be overloaded or hang: look at its log",
  },
  {
    id: "rtmp-hung-up",
    reason: "network-lost",
    permanent: false,
    said: /cannot read rtmp handshake/i,
    happened: "HOST hung up before any RTMP was spoken",
    advice: "Is this an RTMP port, and does the server behind it run? rtmps:// where it wants TLS",
  },
  {
    id: "no-rtmp",
    reason: "network-lost",
    permanent: false,
    said: /(?:^|output )rtmps?:[^\n]*: invalid data found|incorrect chunk size|rtmp packet size mismatch/im,
    happened: "HOST answered with what is no RTMP",
    advice: "Is this an RTMP port? A proxy or a portal on the way may have answered in its place",
  },
  {
    id: "srt-passphrase",
    reason: "auth-or-path-rejected",
    permanent: false,
    said: /incorrect passphrase|password required or unexpected|bad ?secret/i,
    happened: "HOST rejected the stream: its SRT passphrase is another",
    advice: "Give the right one: streambro set NAME --key-file FILE --restart",
  },
  {
    id: "srt-rejected",
    reason: "auth-or-path-rejected",
    permanent: false,
    said: /REJECT reported from HS|ERROR:PEER/i,
    happened: "HOST rejected the stream",
    advice: "Check its streamid and passphrase, and whether this listener takes senders",
  },
  {
    id: "srt-no-answer",
    reason: "timed-out",
    permanent: false,
    said: /connection to srt:[^\n]* failed/i,
    happened: "nobody at HOST answered by SRT",
    advice:
      "Does a listener run there, is the UDP port right and open? Some say nothing to a wrong passphrase or streamid",
  },
];

/** What a server answers to `connect` and `publish`; FFmpeg prints its description, or else its code. */
export const ANSWERED: readonly Row[] = [
  {
    id: "busy",
    reason: "already-publishing",
    permanent: false,
    said: /server error:[^\n]*(?:\balready\b|\bin use\b|\bbusy\b|badname|badconnection)|already publishing/i,
    happened: "HOST says that somebody else is publishing with this key",
    advice:
      "End the other sender; after a broken connection the server may need a minute to notice",
  },
  {
    id: "credentials",
    reason: "auth-or-path-rejected",
    permanent: false,
    said: /no credentials set|authmod|need auth|no auth parameters found|unknown connect error/i,
    happened: "HOST wants a user name and a password, which StreamBro does not send",
    advice: "Let the server take this stream by its key, or by a token in the key",
  },
  {
    id: "key",
    reason: "auth-or-path-rejected",
    permanent: false,
    said: /server error:[^\n]*(?:auth|credential|denied|forbidden|40[13]|accessmanager|not allowed|permission|invalid (?:stream )?(?:key|name|token)|expired)|authentication failed|unauthorized/i,
    happened: "HOST rejected the stream: it does not accept the key",
    advice:
      "Copy the key anew from the platform, where the broadcast may also have ended: streambro set NAME --key-file FILE --restart",
  },
  {
    id: "application",
    reason: "auth-or-path-rejected",
    permanent: false,
    said: /server error:[^\n]*(?:invalid ?app|application|vhost|not ?found|does not exist|no such)/i,
    happened: "HOST rejected the stream: it does not know the application or path",
    advice: "Compare the URL with the platform's: streambro set NAME --to URL --restart",
  },
  {
    id: "rejected",
    reason: "auth-or-path-rejected",
    permanent: false,
    said: /server error:|(?:NetStream|NetConnection)\.[\w.]*(?:BadName|Rejected|Unauthorized|Failed|InvalidApp|Denied)/i,
    happened: "HOST rejected the stream",
    advice: "What it answered is in the log: streambro logs NAME. Check application and key",
  },
];

/** Before anything is sent. */
export const RECEIVER: readonly Row[] = [...UNREACHED, ...HANDSHAKE];

const LOST =
  /broken pipe|connection reset|end of file|writing trailer|av_interleaved_write_frame|submitting a packet to the muxer: /i;

/** Once it is being sent. */
export const CONNECTION: readonly Row[] = [
  {
    id: "stuck",
    reason: "timed-out",
    permanent: false,
    said: /(?:connection|operation) timed out/i,
    happened: "HOST took nothing for seconds",
    advice: "The network on the way, or the server, is stuck or too slow for the bit rate",
  },
  {
    id: "closed-at-once",
    reason: "auth-or-path-rejected",
    permanent: false,
    said: LOST,
    atOnce: true,
    happened: "HOST took the connection and closed it at once",
    advice:
      "Most often the key is wrong, used up or in use elsewhere: compare it with the platform's",
  },
  {
    id: "lost",
    reason: "network-lost",
    permanent: false,
    said: LOST,
    happened: "the connection to HOST was lost",
    advice:
      "If it goes on: is the network overloaded, is the server restarted, or has the platform ended the broadcast?",
  },
  {
    id: "closed-silently",
    reason: "auth-or-path-rejected",
    permanent: false,
    // nginx closes the connection, with no word, for an unknown application and for a 403 of its hook.
    said: /input\/output error|i\/o error/i,
    happened: "HOST did not take the stream and said nothing about why",
    advice: "Check application and key; or the server, or its own check of keys, is not ready",
  },
];
