import { existsSync } from "node:fs";
import path from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where one daemon keeps its things; every path absolute. */
export type Directories = {
  readonly config: string;
  readonly state: string;
  readonly runtime: string;
  readonly socket: string;
};

const SYSTEM: Directories = {
  config: "/etc/streambro/streambro.yaml",
  state: "/var/lib/streambro",
  runtime: "/run/streambro",
  socket: "/run/streambro/streambro.sock",
};

const set = (value: string | undefined): string | undefined =>
  value === undefined || value === "" ? undefined : path.resolve(value);

const SOCKET = "streambro.sock";

/** The runtime directory where no login session gives one. */
const withoutLogin = (state: string): string => path.join(state, "run");

/** Directories of a daemon run by an ordinary user, by the XDG base directory specification. */
const userDirectories = (env: Environment, uid: number, home: string): Directories => {
  const state = path.join(set(env["XDG_STATE_HOME"]) ?? `${home}/.local/state`, "streambro");
  const login = set(env["XDG_RUNTIME_DIR"]) ?? `/run/user/${uid}`;
  // Without a login session there is no runtime directory; the state directory is always there.
  const runtime = existsSync(login) ? path.join(login, "streambro") : withoutLogin(state);
  const config = set(env["XDG_CONFIG_HOME"]) ?? `${home}/.config`;
  return {
    config: path.join(config, "streambro", "streambro.yaml"),
    state,
    runtime,
    socket: path.join(runtime, SOCKET),
  };
};

const configOfService = (env: Environment): string | undefined => {
  const directory = set(env["CONFIGURATION_DIRECTORY"]);
  return directory === undefined ? undefined : path.join(directory, "streambro.yaml");
};

/**
 * Where `streambrod` keeps its things: STREAMBRO_* for each, else systemd's directories, else the
 * system's for root, else the user's.
 */
export const daemonDirectories = (env: Environment, uid: number, home: string): Directories => {
  const base = uid === 0 ? SYSTEM : userDirectories(env, uid, home);
  const state = set(env["STREAMBRO_STATE_DIR"]) ?? set(env["STATE_DIRECTORY"]) ?? base.state;
  const runtime =
    set(env["STREAMBRO_RUNTIME_DIR"]) ?? set(env["RUNTIME_DIRECTORY"]) ?? base.runtime;
  return {
    config: set(env["STREAMBRO_CONFIG"]) ?? configOfService(env) ?? base.config,
    state,
    runtime,
    socket: set(env["STREAMBRO_SOCKET"]) ?? path.join(runtime, SOCKET),
  };
};

/**
 * The socket that `streambro` talks to: STREAMBRO_SOCKET, else the system's if it exists, else the
 * user's. Works without any XDG variable, as under cron. Where there is neither, it is the system's if
 * that has its directory: a restart of the service takes the socket away for a moment.
 */
export const clientSocket = (
  env: Environment,
  uid: number,
  home: string,
  system: Pick<Directories, "runtime" | "socket"> = SYSTEM,
): string => {
  const told = set(env["STREAMBRO_SOCKET"]);
  if (told !== undefined) return told;
  const runtime = set(env["STREAMBRO_RUNTIME_DIR"]);
  if (runtime !== undefined) return path.join(runtime, SOCKET);
  if (uid === 0 || existsSync(system.socket)) return system.socket;
  const { socket, state } = userDirectories(env, uid, home);
  // A daemon that cron started, before anybody had logged in, found no runtime directory.
  const places = [socket, path.join(withoutLogin(state), SOCKET)];
  const otherwise = existsSync(system.runtime) ? system.socket : socket;
  return places.find((place) => existsSync(place)) ?? otherwise;
};
