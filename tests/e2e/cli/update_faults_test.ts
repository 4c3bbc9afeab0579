import assert from "node:assert/strict";
import { join } from "node:path";
import { binaryAt, replaceBinary, versionOf } from "../../../lib/system/installed/binary.ts";
import { run } from "../../../lib/host/process.ts";
import { withHome } from "../../helpers/command.ts";
import { refuses } from "../../helpers/nest.ts";
import { fromFileUrl } from "../../helpers/paths.ts";
import { installed, stub } from "../../helpers/release.ts";
import { smallHome } from "../../helpers/small_home.ts";
import { runVictim } from "../../helpers/victim.ts";

Deno.test("an update that is killed anywhere leaves a binary that starts, and can be done again", async () => {
  await withHome(async (folder) => {
    const source = join(folder, "new");
    await Deno.writeTextFile(source, stub("0.2.0"));
    const seen = new Set<string>();
    let steps = 0;
    for (let atStep = 1;; atStep++) {
      const bin = join(folder, String(atStep));
      const { path } = await installed(bin, "0.1.0");
      await Deno.writeTextFile(join(bin, "nido.previous"), stub("0.0.9"), { mode: 0o755 });
      const { signal } = await runVictim(folder, [path, source, "0.2.0"], {
        atStep,
        script: fromFileUrl("../fixtures/replace_binary.ts"),
      });
      if (signal === null) break;
      steps++;
      const version = await versionOf(path);
      assert.ok(version === "0.1.0" || version === "0.2.0", `step ${atStep}: ${version}`);
      seen.add(version);
      await replaceBinary(binaryAt(path, "linux"), source, "0.2.0");
      assert.equal(await versionOf(path), "0.2.0");
      const names = await Array.fromAsync(Deno.readDir(bin), ({ name }) => name);
      assert.deepEqual(names.sort(), ["nido", "nido.previous"]);
    }
    assert.ok(steps > 10, `only ${steps} steps`);
    assert.deepEqual([...seen].sort(), ["0.1.0", "0.2.0"]);
  });
});

Deno.test("a disk that is full and a folder that is read-only are told, and nothing changes", async () => {
  await withHome(async (folder) => {
    const mounted = join(folder, "mounted");
    await using small = await smallHome(mounted);
    if (!small) return;
    const { path } = await installed(mounted, "0.1.0");
    const source = join(folder, "new");
    await Deno.writeTextFile(source, `${stub("0.2.0")}exit\n${"#".repeat(50 * 2 ** 20)}`);
    const replaced = replaceBinary(binaryAt(path, "linux"), source, "0.2.0");
    const full = `Cannot update ${path}: ${mounted} has no room for it`;
    await refuses(replaced, "exhausted", full);
    const names = await Array.fromAsync(Deno.readDir(mounted), ({ name }) => name);
    assert.deepEqual(names, ["nido"]);

    await Deno.writeTextFile(source, stub("0.2.0"));
    await run("mount", ["-o", "remount,ro", mounted]);
    const readOnly = `Cannot update ${path}: ${mounted} is on a read-only file system`;
    const again = replaceBinary(binaryAt(path, "linux"), source, "0.2.0");
    await refuses(again, "denied", readOnly);
    assert.equal(await versionOf(path), "0.1.0");
  });
});
