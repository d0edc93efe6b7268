import t from "tap";
import { type Mode, NO_ENCODING } from "../../shared/contract/spec.ts";
import { wishOf } from "../../daemon/commands/wish.ts";

type Given = Parameters<typeof wishOf>[1];

const before = (mode: Mode, encoding = {}): Parameters<typeof wishOf>[0] => ({
  mode,
  encoding: { ...NO_ENCODING, ...encoding },
});

t.test("what is not mentioned stays as it is, null goes back", async (t) => {
  const wish = before("encode", { fps: 25, videoKbps: 900 });
  t.same(wishOf(wish, {}, "x"), wish);
  const changed = wishOf(wish, { encoding: { fps: null, audioKbps: 96 } }, "x");
  t.same(changed, before("encode", { videoKbps: 900, audioKbps: 96 }));
  const left = wishOf(wish, { mode: "auto", encoding: { fps: null } }, "x");
  t.same(left, before("auto", { videoKbps: 900 }));
});

t.test("what makes no sense together is refused", async (t) => {
  const rows: readonly [ReturnType<typeof before>, Given, RegExp][] = [
    [before("encode"), { encoding: { width: 640 } }, /^x: a size is a width and a height/],
    [before("encode", { width: 640, height: 360 }), { encoding: { height: null } }, /give both/],
    [
      before("auto"),
      { encoding: { fps: 25 } },
      /^x: --fps needs --mode encode: --mode auto copies/,
    ],
    [before("copy"), { encoding: { fps: 25 } }, /--fps needs --mode encode or auto: --mode copy/],
    [
      before("encode", { width: 640, height: 360, preset: "fast" }),
      { mode: "auto" },
      /^x: --size needs --mode encode: .* drop what is set with: --size default$/,
    ],
    [
      before("auto", { videoKbps: 900, encoder: "libx264" }),
      { mode: "copy" },
      /--video-bitrate, --encoder need .* with: --video-bitrate default --encoder default$/,
    ],
  ];
  for (const [was, given, words] of rows)
    t.throws(() => wishOf(was, given, "x"), { code: "INVALID_SPEC", message: words });
});
