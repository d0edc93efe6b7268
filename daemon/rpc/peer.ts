/** The user at the other end of a connection, as the kernel tells it. */
export type Peer = { readonly uid: number; readonly user: string };
