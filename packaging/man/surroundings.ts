import { SETTING_NAMES } from "../../daemon/config/names.ts";
import { daemonDirectories } from "../../shared/paths.ts";

type Row = readonly [name: string, about: string];

/** What is where on a machine that has one daemon for all. */
export const systemFiles = (): readonly Row[] => {
  const { config, state, runtime, socket } = daemonDirectories({}, 0, "/root");
  return [
    [config, "settings of the system's daemon, see streambro.yaml(5)"],
    [socket, "the system's daemon listens here; its mode and group decide who may ask"],
    [state, "what must outlive everything: streams, keys, history, FFmpeg's logs"],
    [runtime, "what is of this boot only: a directory for each stream that runs"],
    ["~/.config/streambro/streambro.yaml", "settings of a daemon that an ordinary user runs"],
    ["~/.local/state/streambro", "and its state; its socket is in $XDG_RUNTIME_DIR/streambro"],
  ];
};

export const cliEnvironment = (): readonly Row[] => [
  ["STREAMBRO_SOCKET", "the daemon's socket; counts more than every place where it is looked for"],
  ["STREAMBRO_RUNTIME_DIR", "the directory of streambro.sock, where STREAMBRO_SOCKET is not set"],
  ["XDG_RUNTIME_DIR, XDG_STATE_HOME", "where the socket of a user's own daemon is looked for"],
  ["NO_COLOR", "where it is set and not empty, there is no colour"],
];

export const daemonEnvironment = (): readonly Row[] => [
  ["STREAMBRO_CONFIG", "the file of settings, as --config names it"],
  ["STREAMBRO_STATE_DIR", "the state directory; else systemd's STATE_DIRECTORY"],
  ["STREAMBRO_RUNTIME_DIR", "the runtime directory; else systemd's RUNTIME_DIRECTORY"],
  ["STREAMBRO_SOCKET", "the socket; else streambro.sock in the runtime directory"],
  [SETTING_NAMES[0] ?? "", "and every other setting by its name, see streambro.yaml(5)"],
];
