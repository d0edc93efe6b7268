import t from "tap";
import { readCommandLine } from "../../daemon/config/command-line.ts";

const read = (line: string) => readCommandLine(line.split(" ").filter((word) => word !== ""));

t.test("options of streambrod", async (t) => {
  t.match(read(""), { ok: true, config: null, pretty: false, ask: null });
  const all = read(
    "--config /c.yaml --pretty --force-kill-timeout-ms 5000 --log-level=warn --limiter-enabled false" +
      " --monitor-enabled --cleanup-enabled=no --metrics-listen= --retry-limit -1 --retry-limit 3",
  );
  t.match(all, { ok: true, config: "/c.yaml", pretty: true, ask: null });
  t.same(all.ok && Object.fromEntries(all.settings), {
    FORCE_KILL_TIMEOUT_MS: "5000",
    LOG_LEVEL: "warn",
    LIMITER_ENABLED: "false",
    MONITOR_ENABLED: "true",
    CLEANUP_ENABLED: "no",
    METRICS_LISTEN: "",
    RETRY_LIMIT: "3",
  });
  t.match(read("-h"), { ask: "help" });
  t.match(read("--help-settings"), { ask: "help-settings" });
  t.match(read("--version --retry-limit soon"), { ask: "version" });
});

t.test("command lines that are wrong", async (t) => {
  for (const [line, message] of [
    ["--colour", /^there is no option --colour\. See: streambrod --help$/],
    ["--retry_limit 3", /^there is no option --retry_limit\. Did you mean --retry-limit\? See:/],
    ["--no-limiter-enabled", /^there is no option --no-limiter-enabled/],
    ["--prety", /Did you mean --pretty\?/],
    ["-x", /^there is no option -x\./],
    ["--constructor", /^there is no option --constructor\./],
    ["--config", /^--config needs a value\./],
    ["--config=", /^--config needs the path of a file\./],
    ["--retry-limit --pretty", /^--retry-limit needs a value\./],
    ["--pretty=yes", /^--pretty takes no value\./],
    ["--pretty yes", /^"yes" is no option\./],
    ["start", /^"start" is no option\./],
    ["--limiter-enabled no maybe", /^"maybe" is no option\./],
    ["--", /^"--" means nothing here\./],
  ] as const)
    t.match(read(line), { ok: false, message }, line);
});
