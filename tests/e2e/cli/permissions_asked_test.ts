import assert from "node:assert/strict";
import { join } from "node:path";
import { run } from "../../../lib/host/process.ts";
import { bootDisk, IDLE } from "../../helpers/boot_sector.ts";
import { nido, withHome } from "../../helpers/command.ts";
import { fromFileUrl } from "../../helpers/paths.ts";
import { cannotBuild } from "../../recipe/workshop.ts";

/** Runs a command under the printed flags, and then under each that its error asks for, too. */
async function asked(
  args: string[],
  env: Record<string, string>,
): Promise<{ added: string[]; code: number; stderr: string }> {
  const flags = (await nido(["permissions"], { env })).stdout.trim().split("\n");
  const main = fromFileUrl("../../main.ts");
  for (const added: string[] = [];;) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", ...flags, ...added, main, ...args],
      env: { DENO_DIR: await denoDir(), ...env },
    }).output();
    const said = new TextDecoder().decode(stderr);
    const flag = /\n {2}try: deno run \$\(nido permissions\) (--allow-\S+) \.\.\.\n$/.exec(said)
      ?.[1];
    if (!flag) return { added, code, stderr: said };
    assert.match(said, /^error: Deno denied a permission: Requires /m);
    assert.ok(!added.includes(flag), `${flag} is asked for again`);
    added.push(flag);
  }
}

Deno.test("what takes more asks for it, flag by flag, and works then", async () => {
  await withHome(async (folder) => {
    const file = join(folder, "disk.raw");
    await Deno.writeFile(file, bootDisk(IDLE));
    const env = { NIDO_HOME: join(folder, "nido"), HOME: folder };
    const imported = await asked(["image", "import", file, "--name", "tiny"], env);
    assert.equal(imported.code, 0, imported.stderr);
    assert.deepEqual(imported.added, [`--allow-read=${file}`]);

    const removed = await asked(["uninstall", "--dry-run"], env);
    assert.equal(removed.code, 0, removed.stderr);
    const told = await Deno.readTextFile(fromFileUrl("../../docs/permissions.md"));
    for (const flag of removed.added) {
      const [, name, value = ""] = /^(--allow-\w+)=(.+)$/.exec(flag)!;
      if (name === "--allow-env") assert.ok(told.includes(value), `${value} is not told of`);
      else assert.ok(value.startsWith(`${folder}/`), flag);
    }
    const updated = await asked(["update"], env);
    assert.deepEqual([updated.added, updated.code], [[], 5]);
    assert.match(
      updated.stderr,
      /^error: Cannot update this copy of Nido: it runs from its sources/,
    );
  });
});

Deno.test({
  name: "a build under those flags asks for what it starts",
  ignore: cannotBuild,
  fn: async () => {
    await withHome(async (home) => {
      const args = ["image", "build", "debian-12", "--mirror", "http://localhost:9/debian"];
      const built = await asked(args, { NIDO_HOME: home });
      assert.deepEqual(built.added, [
        "--allow-read=/usr/share/keyrings/debian-archive-keyring.gpg",
        "--allow-run=unshare",
        "--allow-run=apt-config",
        "--allow-run=setpriv",
      ]);
      assert.match(built.stderr, /^error: Cannot build .*: http:\/\/localhost:9 can't be used: /m);
    });
  },
});

/** Deno's cache, which it would look for in a test's own HOME. */
async function denoDir(): Promise<string> {
  const { stdout } = await run(Deno.execPath(), ["info", "--json"]);
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}
