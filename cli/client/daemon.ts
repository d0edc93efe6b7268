import type { MethodName, Params } from "../../shared/contract/methods.ts";
import type { Answer } from "./answer.ts";
import { connect } from "./connection.ts";
import type { Connection } from "./connection.ts";
import type { Notice } from "./message.ts";

/** The daemon, as commands see it. */
export type Daemon = {
  /**
   * Asks once. `keepMs` is how long the daemon may take over the answer by the nature of the
   * question; some seconds on top of that, and the call fails as `silent`. `onNotice` hears from then
   * on what the daemon says unasked on this connection.
   */
  readonly call: <M extends MethodName>(
    method: M,
    params: Params<M>,
    keepMs?: number,
    onNotice?: (notice: Notice) => void,
  ) => Promise<Answer<M>>;
  /** Settles when the connection that is open now, if any, has ended. */
  readonly hungUp: () => Promise<void>;
  readonly close: () => void;
};

/**
 * The daemon behind a socket. The first call connects, and so does the first call after a connection
 * was lost.
 */
export const openDaemon = (socket: string, client: string, graceMs = 10_000): Daemon => {
  let connection: Connection | null = null;
  return {
    call: async (method, params, keepMs = 0, onNotice) => {
      if (connection === null || connection.failure() !== null) {
        connection = connect(socket, client);
      }
      return connection.call(method, params, keepMs + graceMs, onNotice);
    },
    hungUp: async () => connection?.ended,
    close: () => {
      connection?.close();
    },
  };
};
