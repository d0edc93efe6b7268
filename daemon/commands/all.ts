import type { LiveSettings } from "../config/live.ts";
import type { Log } from "../log/log.ts";
import type { Handlers } from "../rpc/server.ts";
import type { Store } from "../store/store.ts";
import { type Assembled, toolsOf } from "../assembly.ts";
import { guard } from "../access/guard.ts";
import { Group } from "../users/groups.ts";
import { ADMIN_GROUP } from "../access/asker.ts";
import { commandLineHandlers } from "./command-line.ts";
import { configurationHandlers } from "./configuration.ts";
import { encoderHandlers } from "./encoders.ts";
import { type Daemon, handlers, refuseWhenStopping } from "./handlers.ts";
import { historyHandlers } from "./history.ts";
import { limitHandlers } from "./limits.ts";
import { metricHandlers } from "./metrics.ts";
import type { Owners } from "./owner.ts";

type Around = {
  readonly daemon: Daemon;
  readonly parts: Assembled;
  readonly store: Store;
  readonly settings: LiveSettings;
  readonly owners: Owners;
  readonly log: Log;
};

/** The whole contract carried out, each room by its own file. */
export const allHandlers = ({ daemon, parts, store, settings, owners, log }: Around): Handlers => {
  const { registry, limits, encoders, seen, reach, metering, starts, clock, history } = parts;
  const means = { tools: toolsOf(() => settings.current()), encoders, seen, reach };
  const { asking, remember } = history;
  const showsOthers = (): boolean => settings.current().SHOW_OTHERS_STREAMS;
  const mostRegistered = (): number => settings.current().MAX_REGISTERED_STREAMS_PER_USER;
  const edited = remember.edited.bind(remember);
  const editing = { registry, store, ...means, owners, edited, mostRegistered, starts, clock };
  const open = (): void => refuseWhenStopping(daemon);
  const all = handlers(daemon, editing, {
    ...limitHandlers(limits, owners, registry, log, open),
    ...encoderHandlers(encoders, open),
    ...metricHandlers(metering),
    ...configurationHandlers(settings, log, open),
    ...commandLineHandlers({ registry, layout: store.layout, ...means }),
    ...historyHandlers(history, registry),
  });
  return guard(all, {
    ...{ registry, showsOthers, asking, log, clock },
    remembers: (name, owner) => history.history.knows(name, owner),
    known: { ...owners, admins: new Group(ADMIN_GROUP) },
    monotonic: () => performance.now(),
  });
};
