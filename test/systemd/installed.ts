import { readFileSync } from "node:fs";
import path from "node:path";
import type { Finished } from "../helpers/command.ts";
import { type Container, IN_CONTAINER } from "../helpers/systemd.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** The service in a container, as the README's three commands install it. */
export type Installed = {
  readonly systemctl: (...args: string[]) => Promise<Finished>;
  /** A property of the service. */
  readonly show: (property: string) => Promise<string>;
  /** `streambro ARGS` as root. */
  readonly cli: (...args: string[]) => Promise<Finished>;
  /** What the journal has of the service, `args` chosen from it. */
  readonly journal: (...args: string[]) => Promise<string[]>;
};

/** Puts programs, users, directories and the unit in their places; nothing is started. */
export const install = async (container: Container, settings: string): Promise<Installed> => {
  const { run, put } = container;
  const must = async (...argv: string[]): Promise<void> => {
    const { code, stderr } = await run(...argv);
    if (code !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  };
  const packaged = (name: string): string =>
    readFileSync(path.join(ROOT, "packaging/systemd", name), "utf8");
  // The machine's own /usr, which is read-only there.
  await must("mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/usr/local/bin");
  for (const name of ["streambro", "streambrod"])
    await must("ln", "-s", `${IN_CONTAINER}/bin/${name}`, `/usr/local/bin/${name}`);
  put("/etc/sysusers.d/streambro.conf", packaged("streambro.sysusers"));
  put("/etc/tmpfiles.d/streambro.conf", packaged("streambro.tmpfiles"));
  await must("systemd-sysusers", "/etc/sysusers.d/streambro.conf");
  await must("systemd-tmpfiles", "--create", "/etc/tmpfiles.d/streambro.conf");
  put("/etc/streambro/streambro.yaml", settings);
  container.addUnit(
    "streambro.service",
    readFileSync(path.join(ROOT, "streambro.service"), "utf8"),
  );
  await must("systemctl", "daemon-reload");
  const systemctl: Installed["systemctl"] = (...args) => run("systemctl", ...args);
  return {
    systemctl,
    show: async (property) =>
      (await systemctl("show", "-p", property, "--value", "streambro")).stdout.trim(),
    cli: (...args) => run("streambro", ...args),
    journal: async (...args) => {
      const { stdout } = await run("journalctl", "-u", "streambro", "--no-pager", ...args);
      return stdout.split("\n").filter((line) => line !== "");
    },
  };
};
