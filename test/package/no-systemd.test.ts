import { chmodSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import t from "tap";
import { command } from "../helpers/command.ts";
import { writableRoot } from "../helpers/debian.ts";
import { plainEnvironment } from "../helpers/environment.ts";
import { whyNoContainer } from "../helpers/systemd.ts";
import { buildDeb } from "./built.ts";

/** As in a container whose first process is a shell. */
const SCRIPT = `set -eu
dpkg -i /media/*.deb 2>&1
id streambro
getent group streambro-admin
stat -c '%U %a' /var/lib/streambro
export STREAMBRO_STATE_DIR=/var/lib/streambro STREAMBRO_RUNTIME_DIR=/var/lib/streambro/run
export STREAMBRO_CONFIG=/etc/streambro/streambro.yaml
setpriv --reuid=streambro --regid=streambro --init-groups streambrod >/tmp/log &
for _ in $(seq 100); do [ ! -S /var/lib/streambro/run/streambro.sock ] || break; sleep 0.1; done
streambro ls
streambro daemon stop -q
wait
unset STREAMBRO_STATE_DIR STREAMBRO_RUNTIME_DIR STREAMBRO_CONFIG
streambrod >/tmp/log &
for _ in $(seq 100); do [ ! -S /run/streambro/streambro.sock ] || break; sleep 0.1; done
streambro daemon status >/dev/null
dpkg --remove streambro 2>&1
wait
echo the daemon has ended
dpkg --purge streambro 2>&1
ls -d /var/lib/streambro /run/streambro /etc/streambro 2>&1 || :
`;

t.test(
  "the package where no systemd runs, nor is there any",
  { skip: whyNoContainer() ?? false, timeout: 120_000 },
  async (t) => {
    const scratch = mkdtempSync(path.join(os.tmpdir(), "sb-no-systemd-"));
    chmodSync(scratch, 0o755);
    t.teardown(() => rmSync(scratch, { recursive: true, force: true }));
    await buildDeb(scratch);
    const made = await writableRoot();
    if (typeof made === "string") {
      t.test("a container", { skip: made }, async () => {});
      return;
    }
    t.teardown(() => made.clear());
    for (const tool of ["systemctl", "systemd-sysusers", "systemd-tmpfiles"]) {
      const file = path.join(made.root, "usr/bin", tool);
      if (existsSync(file)) renameSync(file, `${file}.away`);
    }
    const options = [
      "-q",
      "-D",
      made.root,
      "--as-pid2",
      "--register=no",
      "--keep-unit",
      "--link-journal=no",
    ];
    const more = ["--console=pipe", `--bind-ro=${scratch}:/media`, "-M", `sb${process.pid}`];
    const bare = ["-u", "NODE_OPTIONS", "systemd-nspawn", ...options, ...more];
    const { code, stdout, stderr } = await command("env", [...bare, "sh", "-c", SCRIPT], {
      env: plainEnvironment(),
    });
    t.equal(code, 0, stderr);
    t.match(stdout, /^uid=\d+\(streambro\) gid=\d+\(streambro\)/m);
    t.match(stdout, /^streambro-admin:/m);
    t.match(stdout, /^streambro 750$/m);
    t.match(stdout, /^the daemon has ended$/m);
    t.equal(stdout.match(/^ls: cannot access/gm)?.length, 3, "a purge leaves nothing");
    t.notMatch(`${stdout}${stderr}`, /systemctl: |not found|deb-systemd/);
  },
);
