import t from "tap";
import type { MethodName } from "../../shared/contract/methods.ts";
import { StreamStatus } from "../../shared/contract/status.ts";
import { HEALTH_STATES, STREAM_STATES } from "../../shared/states.ts";
import { reduced } from "../../daemon/access/reduced.ts";
import { rightTo } from "../../daemon/access/rights.ts";
import type { Sight } from "../../daemon/access/sight.ts";
import { streamNote } from "../../cli/render/note.ts";
import { seeded } from "../helpers/seeded.ts";
import { admin, anna, seenBy, telling } from "./company.ts";

const { seed, random } = seeded();

/** What others may know. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...["name", "owner", "mayControl", "state", "desired", "health", "since", "startedAt"],
  ...["restarts", "usage"],
]);

/** Every string and number in a value. */
const facts = (value: unknown): unknown[] =>
  typeof value === "object" && value !== null ? Object.values(value).flatMap(facts) : [value];

t.test(
  `whatever a status holds, no more than is allowed is left of it (seed ${seed})`,
  async (t) => {
    t.same(
      Object.keys(telling("radio", "anna")).sort(),
      Object.keys(StreamStatus.shape).sort(),
      "a fact in every field that there is",
    );
    for (let round = 0; round < 200; round += 1) {
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
      const secret = `/srv/${Math.floor(random() * 1e9)}/é ${round} rtmp://h/app/KEY`;
      const full = {
        ...telling("radio", "anna", secret),
        ...{ state: pick(STREAM_STATES), health: pick(HEALTH_STATES) },
        // As a later release might add one.
        later: secret,
      };
      if (random() < 0.3) Object.assign(full.usage ?? {}, { command: secret });
      const left = reduced(full);
      const told = JSON.stringify(left);
      t.notOk(told.includes(JSON.stringify(secret).slice(1, -1)), "the secret is not in it");
      const may = new Set(
        Object.entries(full).flatMap(([field, value]) => (ALLOWED.has(field) ? facts(value) : [])),
      );
      const more = facts(left).filter(
        (fact) => !may.has(fact) && ![null, "", false].includes(fact as null),
      );
      t.same(more, [], "nothing else either");
      t.same(StreamStatus.parse(left), left, "and older clients can read it");
      t.equal(streamNote(left, Date.now()), "-");
    }
  },
);

t.test("who sees what", async (t) => {
  const all = ["news", "radio"].map((name) => telling(name, name === "news" ? "bob" : "anna"));
  const [news, radio] = all;
  const view = (method: MethodName, result: object, sight: Sight): object =>
    rightTo(method).view?.(result, sight) ?? {};
  const status = (sight: Sight): unknown =>
    Object.entries(view("stream.status", { version: 1, streams: all }, sight)).at(-1)?.[1];
  t.same(status(seenBy(admin, false)), all);
  t.same(status(seenBy(anna, true)), [news === undefined ? null : reduced(news), radio]);
  t.same(status(seenBy(anna, false)), [radio]);
  const about = { version: "1", warnings: ["/srv/bob/x cannot be read"], streams: { backoff: 2 } };
  const daemon = (sight: Sight): object => view("daemon.status", about, sight);
  t.match(daemon(seenBy(admin, false)), { ...about, role: "admin" });
  t.match(daemon(seenBy(anna, true)), { role: "user", warnings: [], streams: { backoff: 2 } });
  t.match(daemon(seenBy(anna, false)), { streams: { backoff: 1, live: 0 } });
  t.notMatch(JSON.stringify(daemon(seenBy(anna, true))), "/srv/bob");
});
