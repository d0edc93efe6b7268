import { existsSync } from "node:fs";
import net from "node:net";
import path from "node:path";

const MODULE = "ngx_rtmp_module.so";
const MODULE_DIRECTORIES = [
  "/usr/lib/nginx/modules",
  "/usr/share/nginx/modules",
  "/usr/lib64/nginx/modules",
];

/** Absolute, because an ordinary user's PATH leaves /usr/sbin out. */
export const NGINX: string = existsSync("/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx";

export const rtmpModule = (): string => {
  const directory = MODULE_DIRECTORIES.find((candidate) =>
    existsSync(path.join(candidate, MODULE)),
  );
  if (directory === undefined) {
    throw new Error("nginx has no RTMP module here: run ./scripts/bootstrap --for test");
  }
  return path.join(directory, MODULE);
};

export type RtmpPorts = { readonly rtmp: number; readonly http: number };

/** Free TCP ports on loopback, held together until all are known so that they differ. */
export const freePorts = async (count: number): Promise<number[]> => {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = net.createServer();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      server.once("error", reject).listen(0, "127.0.0.1", () => resolve());
      await promise;
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(
    servers.map(async (server) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await promise;
    }),
  );
  return ports;
};

/**
 * One process, so that one SIGSTOP freezes the whole server. `live` takes any publisher and records
 * it, `plain` takes any and keeps nothing, `closed` refuses every one. `ping` is far off: a test decides when a connection ends.
 * `heard` is there where somebody listens at `hooksPort`: it records nothing, and asks and tells there.
 */
export const nginxConfig = (
  dir: string,
  ports: RtmpPorts,
  notifyPort: number,
  hooksPort: number | null = null,
): string => `
load_module ${rtmpModule()};
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
events { worker_connections 1024; }
rtmp {
  access_log access.log;
  server {
    listen 127.0.0.1:${ports.rtmp};
    ping 10m;
    notify_method get;
    application live {
      live on;
      record all;
      record_path ${dir}/rec;
      record_unique on;
      record_suffix .flv;
      on_publish http://127.0.0.1:${notifyPort}/publish;
      on_publish_done http://127.0.0.1:${notifyPort}/publish_done;
      on_record_done http://127.0.0.1:${notifyPort}/record_done;
    }
    application plain { live on; }
    application closed { live on; deny publish all; }
    ${hooksPort === null ? "" : heard(hooksPort)}
  }
}
http {
  access_log off;
  client_body_temp_path tmp/body;
  proxy_temp_path tmp/proxy;
  fastcgi_temp_path tmp/fastcgi;
  uwsgi_temp_path tmp/uwsgi;
  scgi_temp_path tmp/scgi;
  server {
    listen 127.0.0.1:${ports.http};
    location / { rtmp_stat all; }
  }
}
`;

const heard = (port: number): string => `application heard {
      live on;
      on_publish http://127.0.0.1:${port}/publish;
      on_publish_done http://127.0.0.1:${port}/publish_done;
    }`;
