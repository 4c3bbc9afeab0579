import assert from "node:assert/strict";
import { join } from "node:path";
import { wordsOf } from "../../lib/cli/words.ts";
import { operations } from "../../lib/operations.ts";
import { withHome } from "../helpers/command.ts";
import { fromFileUrl } from "../helpers/paths.ts";

const HEAVY = [
  "ssh2",
  "yaml",
  "xz-decompress",
  "tar-stream",
  "unbzip2-stream",
  "commander",
  "@bomb.sh/tab",
  "@modelcontextprotocol/sdk",
  "jsonc-parser",
  "smol-toml",
];

/** Runs main.ts where some packages can't be loaded. */
async function withoutPackages(packages: string[], args: string[]): Promise<Deno.CommandOutput> {
  const config = JSON.parse(await Deno.readTextFile(fromFileUrl("../../deno.json")));
  let output: Deno.CommandOutput | undefined;
  await withHome(async (home) => {
    for (const name of packages) {
      config.imports[name] = `data:text/javascript,throw Error("loaded ${name}")`;
    }
    const path = join(home, "deno.json");
    await Deno.writeTextFile(path, JSON.stringify({ imports: config.imports }));
    output = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--config", path, fromFileUrl("../../main.ts"), ...args],
      env: { NIDO_HOME: home },
    }).output();
  });
  return output!;
}

const light = ["system.version", "vm.list", "config.list", "system.permissions"];

for (const name of light.filter((name) => name in operations)) {
  Deno.test(`nido ${wordsOf(name)} loads no package that it does not use`, async () => {
    const { code, stderr } = await withoutPackages(HEAVY, [...wordsOf(name).split(" "), "--json"]);
    assert.deepEqual([code, new TextDecoder().decode(stderr)], [0, ""]);
  });
}

Deno.test("a package that can't be loaded is noticed here", async () => {
  const { code } = await withoutPackages(["zod"], ["config", "list"]);
  assert.notEqual(code, 0);
});
