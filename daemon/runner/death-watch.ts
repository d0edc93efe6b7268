import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { Socket } from "node:net";

/** Watching the FIFO `alive`: `close` ends it and its descriptor. */
export type DeathWatch = { close(): void };

/**
 * Calls `onEnd` once when nobody holds the FIFO's other end any more: at once where that is so
 * already. Null where the FIFO cannot be opened. Costs one descriptor and no polling.
 */
export const watchDeath = (fifo: string, onEnd: () => void): DeathWatch | null => {
  let fd: number;
  try {
    fd = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  if (!fstatSync(fd).isFIFO()) {
    closeSync(fd);
    return null;
  }
  // A FIFO that had no writer since it was opened never reports a hang-up, so it is asked first.
  if (hasEnded(fd)) {
    closeSync(fd);
    let wanted = true;
    setImmediate(() => wanted && onEnd());
    return { close: () => (wanted = false) };
  }
  const socket = new Socket({ fd, readable: true, writable: false });
  socket.on("end", onEnd);
  socket.on("error", onEnd);
  socket.resume();
  return {
    close: () => {
      socket.removeAllListeners("end");
      socket.destroy();
    },
  };
};

const hasEnded = (fd: number): boolean => {
  try {
    return readSync(fd, Buffer.alloc(1)) === 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EAGAIN";
  }
};
