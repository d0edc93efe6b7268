/** The version of the conversation on the socket; raised when an older side could misread a newer. */
export const PROTOCOL = 1;

/** The oldest version that this release still speaks. */
export const PROTOCOL_OLDEST = 1;

/** Longest frame on the socket, in bytes, newline excluded. */
export const MAX_FRAME_BYTES: number = 1024 * 1024;

/** Longest that one call may be kept waiting by `stream.wait` or `stream.logs`, in milliseconds. */
export const MAX_WAIT_MS = 20_000;
