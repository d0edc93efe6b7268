/** Sends one datagram to a Unix socket; says why it could not, or null. Never waits, never throws. */
export type Send = (address: string, message: string) => string | null;

/** The program itself, which has its C library in it or loaded, whatever that is called; then glibc. */
const LIBRARIES = [null, "libc.so.6"];
// As Linux numbers them on x86, ARM and RISC-V.
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2_000_000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MOST_PATH_BYTES = 107;

/**
 * Node has streams over Unix sockets only, hence the native code, which is loaded here and only when it
 * is needed. Throws where it cannot be had. The socket is opened once: there may be no descriptors later.
 */
export const openDatagrams = async (): Promise<Send> => {
  const { default: koffi } = await import("koffi");
  const load = (names: typeof LIBRARIES): ReturnType<typeof koffi.load> => {
    const [name = null, ...others] = names;
    try {
      const library = koffi.load(name);
      library.func("int socket(int, int, int)");
      return library;
    } catch (error) {
      if (others.length === 0) throw error;
      return load(others);
    }
  };
  const library = load(LIBRARIES);
  const socket = library.func("int socket(int, int, int)");
  const sendto = library.func(
    "long sendto(int, const uint8_t *, size_t, int, const uint8_t *, uint32_t)",
  );
  const why = (): string => {
    const number = koffi.errno();
    const [name] = Object.entries(koffi.os.errno).find(([, value]) => value === number) ?? [];
    return name ?? `errno ${number}`;
  };
  const fd: unknown = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (typeof fd !== "number" || fd < 0) throw new Error(`no socket can be opened (${why()})`);
  return (address, message) => {
    const to = socketAddress(address);
    if (to === null) return "it is no address of a Unix socket";
    const bytes = Buffer.from(message, "utf8");
    const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    const sent: unknown = sendto(fd, bytes, bytes.length, flags, to, to.length);
    return Number(sent) === bytes.length ? null : why();
  };
};

/** A `sockaddr_un`: a path, or after an @ a name that is in no directory; null for anything else. */
export const socketAddress = (address: string): Uint8Array | null => {
  const name = Buffer.from(address, "utf8");
  if (!/^[@/]./s.test(address) || name.length > MOST_PATH_BYTES || name.includes(0)) return null;
  const isAbstract = name[0] === 0x40;
  if (isAbstract) name[0] = 0;
  // The length is part of an abstract name, and a path ends with a zero byte.
  const bytes = new Uint8Array(2 + name.length + (isAbstract ? 0 : 1));
  new Uint16Array(bytes.buffer, 0, 1)[0] = AF_UNIX;
  bytes.set(name, 2);
  return bytes;
};
