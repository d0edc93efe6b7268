import net from "node:net";

/** Passes TCP on to `port` of loopback, and cuts each connection after this many bytes from its client. */
export const startRelay = async (
  port: number,
  cutAfterBytes: number,
): Promise<{ readonly port: number; readonly close: () => void }> => {
  const server = net.createServer((client) => {
    const target = net.connect(port, "127.0.0.1");
    let passed = 0;
    const cut = (): void => {
      client.destroy();
      target.destroy();
    };
    client.on("error", cut).on("close", cut);
    target.on("error", cut).on("close", cut);
    target.pipe(client);
    client.on("data", (bytes: Buffer) => {
      passed += bytes.length;
      if (passed > cutAfterBytes) cut();
      else target.write(bytes);
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    close: () => void server.close(),
  };
};
