import { spawnSync } from "node:child_process";
import t from "tap";
import { describedProgram } from "../../cli/program.ts";
import { flagsOf, flatten, modelOf } from "../../cli/completion/model.ts";
import { HELP } from "../../daemon/config/help.ts";
import { SETTING_NAMES, inFile } from "../../daemon/config/names.ts";
import { manuals } from "../../packaging/man/manuals.ts";
import { entry, escaped, example, paragraphs } from "../../packaging/man/roff.ts";
import { command } from "../helpers/command.ts";

const pages = manuals("1.2.3");
const hasGroff = spawnSync("groff", ["--version"]).status === 0;

/** A page as a reader sees it, on one line. */
const read = async (page: string): Promise<string> => {
  const args = ["-man", "-ww", "-Tutf8", "-rLL=200n", "-P-cbou"];
  const { code, stdout, stderr } = await command("groff", args, { stdin: page });
  if (code !== 0 || stderr !== "") throw new Error(stderr);
  return stdout.replace(/\s+/g, " ");
};

t.test("what roff would take for its own comes out as it was", async (t) => {
  t.equal(
    escaped("a-b 'c' \\n ~x ^y `z` \"q\" ä"),
    "a\\-b \\(aqc\\(aq \\en \\(tix \\(hay \\(gaz\\(ga \\(dqq\\(dq \\[u00E4]",
  );
  t.match(example([".leading dot"]), /^\\&\.leading dot$/m);
  t.match(entry("-x", ".hidden"), /^\\&\.hidden$/m);
  t.equal(paragraphs("one\ntwo\n\nthree"), ".PP\none\ntwo\n.PP\nthree");
});

t.test("the manuals", { skip: hasGroff ? false : "manuals: groff is not installed" }, async (t) => {
  const [cli, daemon, file] = await Promise.all(
    ["streambro.1", "streambrod.8", "streambro.yaml.5"].map((name) => read(pages[name] ?? "")),
  );

  await t.test("streambro(1) has every command, every option and every exit status", async (t) => {
    const absent = flatten(modelOf(describedProgram())).flatMap(({ path, options }) =>
      [
        `streambro ${path}`.trim(),
        ...options.flatMap((one) => [flagsOf(one).join(", "), one.about]),
      ]
        .map((wanted) => wanted.replace(/\s+/g, " "))
        .filter((wanted) => cli?.includes(wanted) !== true),
    );
    t.same(absent, []);
    for (const status of [0, 1, 2, 3, 4, 69, 75, 77, 78, 124, 130])
      t.match(cli, new RegExp(` ${status} [a-z-]`), `exit status ${status}`);
    t.match(cli, "streambro start radio --wait --timeout 30s || echo 'not on the air'");
    for (const place of ["STREAMBRO_SOCKET", "/run/streambro/streambro.sock", "NO_COLOR"])
      t.match(cli, place);
  });

  await t.test("streambrod(8) has all that its help has", async (t) => {
    const absent = HELP.replace(/^Usage: |Exit status: /gm, "")
      .split(/\s+/)
      .filter((word) => word !== "" && daemon?.includes(word) !== true);
    t.same(absent, []);
    t.match(daemon, /OPTIONS .*--pretty .*EXIT STATUS 0 ended as asked/);
  });

  await t.test("streambro.yaml(5) has every setting", async (t) => {
    t.same(
      SETTING_NAMES.filter((name) => file?.includes(`${inFile(name)}: `) !== true),
      [],
    );
  });
});
