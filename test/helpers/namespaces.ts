import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { command, output } from "./command.ts";

/** Two machines' networks with a cable between them, in namespaces of their own. */
export type Namespaces = {
  readonly sender: string;
  readonly receiver: string;
  /** The receiver's address, as the sender sees it. */
  readonly address: string;
  /** From now on the receiver's side drops every packet, or takes them again. */
  readonly drop: (dropping: boolean) => Promise<void>;
  readonly remove: () => Promise<void>;
};

/** Why there can be none here; null where there can. */
export const whyNoNamespaces = async (): Promise<string | null> => {
  if (process.getuid?.() !== 0) return "network namespaces take root";
  const name = `sb-try-${process.pid}`;
  const made = await command("ip", ["netns", "add", name]);
  if (made.code !== 0) return `no network namespace: ${made.stderr.trim()}`;
  const rules = await command("ip", ["netns", "exec", name, "nft", "list", "ruleset"]);
  await command("ip", ["netns", "del", name]);
  return rules.code === 0 ? null : `nft does not work: ${rules.stderr.trim()}`;
};

const RULES =
  "table inet streambro {\n chain i { type filter hook input priority 0; policy drop; }\n}\n";

/** Errors: where there can be none. */
export const makeNamespaces = async (): Promise<Namespaces> => {
  const [sender, receiver] = [`sb-a-${process.pid}`, `sb-b-${process.pid}`];
  const ip = async (...args: string[]): Promise<string> => output("ip", args);
  for (const name of [sender, receiver]) await ip("netns", "add", name);
  const [one, other] = [
    ["dev", "va"],
    ["dev", "vb"],
  ] as const;
  await ip("link", "add", "va", "netns", sender, "type", "veth", "peer", "vb", "netns", receiver);
  await ip("-n", sender, "addr", "add", "10.231.0.1/24", ...one);
  await ip("-n", receiver, "addr", "add", "10.231.0.2/24", ...other);
  for (const [name, device] of [
    [sender, "va"],
    [receiver, "vb"],
  ] as const) {
    await ip("-n", name, "link", "set", "lo", "up");
    await ip("-n", name, "link", "set", device, "up");
  }
  return {
    ...{ sender, receiver, address: "10.231.0.2" },
    drop: async (dropping) => {
      const nft = [
        "netns",
        "exec",
        receiver,
        "nft",
        ...(dropping ? ["-f", "-"] : ["flush", "ruleset"]),
      ];
      const done = await command("ip", nft, { stdin: dropping ? RULES : "" });
      if (done.code !== 0) throw new Error(done.stderr);
    },
    remove: async () => {
      for (const name of [sender, receiver]) await command("ip", ["netns", "del", name]);
    },
  };
};

const BIN = path.resolve(import.meta.dirname, "../../bin");

/** A folder of `streambrod` and `streambro` that are run in a namespace. */
export const binIn = (namespace: string, directory: string): string => {
  mkdirSync(directory, { recursive: true });
  for (const name of ["streambro", "streambrod"]) {
    const file = path.join(directory, name);
    writeFileSync(
      file,
      `#!/bin/sh\nexec ip netns exec ${namespace} '${path.join(BIN, name)}' "$@"\n`,
    );
    chmodSync(file, 0o755);
  }
  return directory;
};
