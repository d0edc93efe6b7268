import { constants } from "node:fs";
import { access, readdir } from "node:fs/promises";
import path from "node:path";

export type Device = {
  readonly path: string;
  /** Whether this process may read and write it. */
  readonly usable: boolean;
};

/** More than any machine has; a strange /dev must not make this long. */
const MOST_DEVICES = 256;

/** What video is encoded on: everything in /dev/dri, and NVIDIA's and Video4Linux's devices. */
export const readDevices = async (dev = "/dev"): Promise<readonly Device[]> => {
  const [top, dri] = await Promise.all([
    entries(dev, /^(nvidia|video)/),
    entries(path.join(dev, "dri"), /^(card|renderD)\d+$/),
  ]);
  const found = [...dri, ...top].slice(0, MOST_DEVICES);
  return Promise.all(found.map(async (file) => ({ path: file, usable: await isUsable(file) })));
};

/** DRM render nodes, the first GPU's first. */
export const renderNodes = (devices: readonly Device[]): readonly Device[] =>
  devices
    .filter((device) => /^renderD\d+$/.test(path.basename(device.path)))
    .toSorted((one, other) => numberOf(one) - numberOf(other));

const numberOf = (device: Device): number => Number(/\d+$/.exec(device.path)?.[0]);

const entries = async (directory: string, wanted: RegExp): Promise<string[]> => {
  try {
    const names = await readdir(directory);
    return names
      .filter((name) => wanted.test(name))
      .sort()
      .map((name) => path.join(directory, name));
  } catch {
    return [];
  }
};

const isUsable = async (file: string): Promise<boolean> => {
  try {
    await access(file, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
};
