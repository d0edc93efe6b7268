import http from "node:http";
import type { AddressInfo } from "node:net";
import type { Log } from "../log/log.ts";
import { messageOf } from "../log/message-of.ts";

/** Scrapers are few. */
const MOST_CONNECTIONS = 32;
const REQUEST_MS = 10_000;
/** Whoever connects and says nothing keeps nobody else out for longer. */
const HEADERS_MS = 2_000;
const IDLE_MS = 5_000;
/** How long a port that was taken is left before the next attempt. */
const RETRY_MS = 30_000;

export type Page = { readonly contentType: string; readonly text: () => Promise<string> };

type Surroundings = {
  readonly page: Page;
  readonly log: Log;
  readonly monotonic: () => number;
};

/** Serves /metrics where it is told to, and goes on trying where that place is taken. */
export class MetricsServer {
  /** Why nobody can scrape; null where that is as it should be. */
  warning: string | null = null;
  readonly #surroundings: Surroundings;
  #address = "";
  #server: http.Server | null = null;
  #retryAt = Number.POSITIVE_INFINITY;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** Serves at HOST:PORT from now on, or nowhere where that is empty. Called again and again. */
  follow(address: string): void {
    const now = this.#surroundings.monotonic();
    if (address === this.#address && now < this.#retryAt) return;
    const isNew = address !== this.#address;
    this.close();
    this.#address = address;
    if (isNew) this.warning = null;
    if (address !== "") this.#open(address);
  }

  close(): void {
    this.#retryAt = Number.POSITIVE_INFINITY;
    this.#server?.close();
    this.#server?.closeAllConnections();
    this.#server = null;
  }

  #open(address: string): void {
    const { page, log } = this.#surroundings;
    const server = http.createServer(
      {
        requestTimeout: REQUEST_MS,
        headersTimeout: HEADERS_MS,
        keepAliveTimeout: IDLE_MS,
        connectionsCheckingInterval: 1_000,
        maxHeaderSize: 8_192,
      },
      (request, response) => void answer(request, response, page, log),
    );
    server.maxConnections = MOST_CONNECTIONS;
    server.setTimeout(2 * REQUEST_MS, (socket) => socket.destroy());
    this.#server = server;
    const fail = (error: unknown): void => {
      if (this.#server === server) this.#failed(error);
    };
    server.on("error", fail);
    server.on("listening", () => {
      const { address: host, port, family } = server.address() as AddressInfo;
      const url = `http://${family === "IPv6" ? `[${host}]` : host}:${port}/metrics`;
      this.warning = null;
      log.info({ event: "metrics", url }, `metrics are at ${url}`);
    });
    const at = address.lastIndexOf(":");
    const host = address.slice(0, at).replace(/^\[|\]$/g, "");
    try {
      server.listen({ host, port: Number(address.slice(at + 1)) });
    } catch (error) {
      fail(error);
    }
  }

  #failed(error: unknown): void {
    const { log, monotonic } = this.#surroundings;
    this.close();
    this.#retryAt = monotonic() + RETRY_MS;
    const warning =
      `Nobody can scrape metrics at ${this.#address}: ${reasonOf(error)}. ` +
      "Give METRICS_LISTEN another place, or free this one; it is tried again every 30 s.";
    if (this.warning !== warning) log.warn({ event: "metrics" }, warning);
    this.warning = warning;
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "the daemon's user may not listen there",
  ENOTFOUND: "there is no such host",
  ERR_SOCKET_BAD_PORT: "ports end at 65535",
};

const reasonOf = (error: unknown): string =>
  REASONS[(error as NodeJS.ErrnoException).code ?? ""] ?? messageOf(error);

const answer = async (
  { method = "", url = "" }: http.IncomingMessage,
  response: http.ServerResponse,
  page: Page,
  log: Log,
): Promise<void> => {
  const send = (status: number, contentType: string, text: string): void => {
    const headers = { "content-type": contentType, "content-length": Buffer.byteLength(text) };
    response.writeHead(status, headers).end(method === "HEAD" ? undefined : text);
  };
  try {
    const known = url.replace(/\?.*/, "") === "/metrics" && ["GET", "HEAD"].includes(method);
    if (known) send(200, page.contentType, await page.text());
    else send(404, "text/plain; charset=utf-8", "There is only GET /metrics here.\n");
  } catch (error) {
    log.error({ event: "metrics", error }, `metrics: no answer: ${messageOf(error)}`);
    if (!response.headersSent) send(500, "text/plain; charset=utf-8", "Internal error.\n");
  }
};
