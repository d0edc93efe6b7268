import { EventEmitter } from "node:events";
import path from "node:path";
import t from "tap";
import { GracefulShutdown } from "../../daemon/shutdown/graceful-shutdown.ts";
import { isBeingRestarted } from "../../daemon/systemd/job.ts";
import { recordingLog } from "../helpers/recording-log.ts";

/** Services that only write down what they are asked; the real ones are in test/e2e. */
const make = (isRestart?: () => Promise<boolean>) => {
  const asked: string[] = [];
  const { log, lines } = recordingLog();
  const streams = Promise.withResolvers<void>();
  const finishing = Promise.withResolvers<void>();
  const signals = new EventEmitter();
  const shutdown = new GracefulShutdown(
    {
      refuseCommands: () => void asked.push("refuse"),
      stopAll: () => asked.push("stop"),
      killAll: () => void asked.push("kill"),
      ended: () => streams.promise,
    },
    { clearAll: () => asked.push("clear") },
    {
      ...{ log, signals, ...(isRestart === undefined ? {} : { isRestart }) },
      finish: () => {
        asked.push("finish");
        return finishing.promise;
      },
    },
  );
  return { asked, lines, signals, shutdown, streams, finishing };
};

/** Everything that is due has been done. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test("Test GracefulShutdown with mock services", async (t) => {
  await t.test("its steps, in order, each logged", async (t) => {
    const { asked, lines, shutdown, streams, finishing } = make();
    const done = shutdown.shutdown("SIGTERM");
    await turn();
    t.same(asked, ["refuse", "clear", "stop"], "it waits for the streams");
    streams.resolve();
    await turn();
    t.same(asked.slice(3), ["finish"]);
    finishing.resolve();
    await done;
    t.same(
      lines.map(({ event }) => event),
      ["shutdown", "schedules-cleared", "stopping", "streams-stopped"],
    );
    t.match(lines[0], { level: "info", signal: "SIGTERM" });
  });

  for (const signal of ["SIGTERM", "SIGINT"]) {
    await t.test(`${signal} begins it, a second signal hurries it`, async (t) => {
      const { asked, lines, signals, shutdown, streams, finishing } = make();
      shutdown.registerHandlers();
      t.same(asked, []);
      signals.emit(signal);
      await turn();
      t.same(asked, ["refuse", "clear", "stop"]);
      signals.emit("SIGINT");
      t.same(asked.slice(3), ["kill"]);
      t.match(lines.at(-1), { level: "warn", event: "hurry" });
      streams.resolve();
      finishing.resolve();
      await shutdown.shutdown("again");
      t.equal(asked.filter((one) => one === "stop").length, 1, "nothing is done twice");
      t.equal(asked.filter((one) => one === "finish").length, 1);
    });
  }
});

t.test("an end that leaves the streams on the air", async (t) => {
  await t.test("SIGUSR2 asks for it, and SIGTERM after it changes nothing", async (t) => {
    const { asked, signals, shutdown, finishing } = make(async () => false);
    shutdown.registerHandlers();
    signals.emit("SIGUSR2");
    signals.emit("SIGTERM");
    await turn();
    t.same(asked, ["refuse", "clear", "finish"]);
    finishing.resolve();
    await shutdown.leave();
  });

  await t.test("so does SIGTERM, where it is part of a restart, and SIGINT never", async (t) => {
    const restart = make(async () => true);
    restart.shutdown.registerHandlers();
    restart.signals.emit("SIGTERM");
    await turn();
    t.same(restart.asked, ["refuse", "clear", "finish"]);
    const typed = make(async () => true);
    typed.shutdown.registerHandlers();
    typed.signals.emit("SIGINT");
    t.same(typed.asked, ["refuse", "clear", "stop"]);
  });

  await t.test(
    "a second SIGTERM does not wait for the answer, and is not undone by it",
    async (t) => {
      const answer = Promise.withResolvers<boolean>();
      const { asked, signals, shutdown } = make(() => answer.promise);
      shutdown.registerHandlers();
      signals.emit("SIGTERM");
      await turn();
      t.same(asked, []);
      signals.emit("SIGTERM");
      t.same(asked, ["refuse", "clear", "stop"]);
      answer.resolve(true);
      await turn();
      t.same(asked, ["refuse", "clear", "stop"]);
    },
  );

  await t.test("what systemd is asked about is the service of this control group", async (t) => {
    const file = path.join(
      t.testdir({ none: "0::/user.slice\n", some: "0::/a/no-such.service\n" }),
      "none",
    );
    t.equal(await isBeingRestarted(file), false);
    t.equal(await isBeingRestarted(path.join(path.dirname(file), "some")), false);
    t.equal(await isBeingRestarted(path.join(path.dirname(file), "gone")), false);
  });
});
