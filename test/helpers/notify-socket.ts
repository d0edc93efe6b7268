import { rmSync } from "node:fs";
import koffi from "koffi";
import { socketAddress } from "../../daemon/systemd/datagram.ts";

/** What systemd would have at the end of NOTIFY_SOCKET. */
export type NotifySocket = {
  /** Every notice so far, as it came: an assignment a line. */
  readonly notices: () => readonly string[];
  readonly close: () => void;
};

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** Listens at a path, or after an @ at an abstract name. */
export const listenForNotices = (address: string): NotifySocket => {
  const libc = koffi.load(null);
  const socket = libc.func("int socket(int, int, int)");
  const bind = libc.func("int bind(int, const uint8_t *, uint32_t)");
  const recv = libc.func("long recv(int, _Out_ uint8_t *, size_t, int)");
  const close = libc.func("int close(int)");
  const to = socketAddress(address);
  const fd: unknown = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (to === null || typeof fd !== "number" || bind(fd, to, to.length) !== 0)
    throw new Error(`cannot listen at ${address}: errno ${koffi.errno()}`);
  const notices: string[] = [];
  return {
    notices: () => {
      const bytes = Buffer.alloc(65_536);
      for (;;) {
        const length = Number(recv(fd, bytes, bytes.length, MSG_DONTWAIT));
        if (length < 0) return notices;
        notices.push(bytes.toString("utf8", 0, length));
      }
    },
    close: () => {
      close(fd);
      if (address.startsWith("/")) rmSync(address, { force: true });
    },
  };
};
