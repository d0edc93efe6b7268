import type { Socket } from "node:net";

/** The user at the other end of a connection, as the kernel tells it: whoever opened it, as they were then. */
export type Peer = {
  readonly uid: number;
  /** The primary group, then the others as far as the kernel tells them. */
  readonly groups: readonly number[];
};

/**
 * Asks the kernel; null where it cannot be asked at all. Throws where it can, and gives no answer for
 * this connection: that one is nobody's, and must not be served.
 */
export type PeerReader = (socket: Socket) => Peer | null;

export const cannotBeAsked: PeerReader = () => null;
