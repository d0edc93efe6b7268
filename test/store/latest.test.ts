import t from "tap";
import { LatestWriter } from "../../daemon/store/latest.ts";

t.test("of many values while one is being written, the last is written, once", async (t) => {
  const written: string[] = [];
  const gates: (() => void)[] = [];
  const writer = new LatestWriter<number>(async (name, value) => {
    await new Promise<void>((resolve) => gates.push(resolve));
    written.push(`${name}${value}`);
    return true;
  });
  const done = [1, 2, 3, 4].map((value) => writer.put("a", value));
  const other = writer.put("b", 9);
  gates.splice(0).forEach((open) => open());
  t.equal(await done[0], true);
  await other;
  t.same(written, ["a1", "b9"], "another name does not wait");
  const settled = writer.settled("a");
  gates.splice(0).forEach((open) => open());
  t.same(await Promise.all(done), [true, true, true, true]);
  await settled;
  t.same(written, ["a1", "b9", "a4"]);
  const again = writer.put("a", 5);
  gates.splice(0).forEach((open) => open());
  await again;
  t.same(written, ["a1", "b9", "a4", "a5"]);
});
