import { EventEmitter } from "node:events";
import t from "tap";
import { GracefulShutdown } from "../../daemon/shutdown/graceful-shutdown.ts";
import { recordingLog } from "../helpers/recording-log.ts";

/** Services that only write down what they are asked; the real ones are in test/e2e. */
const make = () => {
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
      log,
      signals,
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
