import assert from "node:assert/strict";
import { join } from "node:path";
import { Nest } from "../../helpers/guest.ts";
import { fromFileUrl } from "../../helpers/paths.ts";
import { blocks, page } from "../../docs/markdown.ts";

Deno.test("the program of docs/library.md runs, and says what the page shows", async () => {
  await using nest = await Nest.shared("lib");
  const [program, shown] = blocks((await page("docs/library.md")).text);
  const code = program!.lines.join("\n")
    .replace("jsr:@nido/cli/api", fromFileUrl("../../lib/api/mod.ts"))
    .replace('image: "debian:12"', 'name: "lib-a", image: "debian:12"');
  const file = join(nest.folder, "program.ts");
  await Deno.writeTextFile(file, code);
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", fromFileUrl("../../deno.json"), file],
    env: { NIDO_HOME: nest.home },
  }).output();
  const said = new TextDecoder().decode(stdout).trim();
  assert.deepEqual(said.split("\n"), shown!.lines, new TextDecoder().decode(stderr));
});
