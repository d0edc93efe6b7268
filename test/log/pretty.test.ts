import t from "tap";
import { prettifier, wantsColour } from "../../daemon/log/pretty.ts";

const line = (fields: object): string =>
  `${JSON.stringify({ level: "warn", time: "2026-01-02T03:04:05.678Z", ...fields })}\n`;

t.test("a line for people", async (t) => {
  const plain = await prettifier(false);
  const fields = { event: "backoff", stream: "radio", reason: "network" };
  t.match(
    plain(line({ ...fields, msg: "radio: retry in 3.0 s" })),
    /^\[2026-01-0\d \d\d:\d\d:05\] WARN: radio: retry in 3\.0 s \{"reason":"network"\}\n$/,
  );
  const error = { type: "Error", message: "odd", stack: "Error: odd\n    at somewhere" };
  t.match(plain(line({ msg: "internal", error })), /WARN: internal \n[^]*at somewhere/);
  const nasty = plain(line({ msg: "\u001B[31mred\u0007\r", note: "\u009B2J\u202E" }));
  t.notMatch(nasty.trimEnd(), /[\p{Cc}\p{Cf}]/u, "a terminal is told nothing");
  t.match(nasty, /red/);
  t.equal(plain("no JSON\n"), "no JSON\n", "what is not understood is passed on");
  const coloured = await prettifier(true);
  t.ok(coloured(line({ msg: "x" })).includes("\u001B["));
});

t.test("colours", async (t) => {
  t.equal(wantsColour(true, {}), true);
  t.equal(wantsColour(true, { NO_COLOR: "" }), true);
  t.equal(wantsColour(true, { NO_COLOR: "1" }), false);
  t.equal(wantsColour(false, {}), false);
});
