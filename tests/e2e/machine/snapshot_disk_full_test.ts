import assert from "node:assert/strict";
import { join } from "node:path";
import { NidoError } from "../../../lib/errors.ts";
import { run } from "../../../lib/host/process.ts";
import { files } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { COUNT } from "../../helpers/boot_sector.ts";
import { countOf, countPast } from "../../helpers/counter.ts";
import { machinesOf, nest } from "../../helpers/nest.ts";
import { smallHome } from "../../helpers/small_home.ts";

Deno.test("a disk that fills up in the middle of a snapshot: none is there, the VM goes on", async () => {
  const folder = await Deno.makeTempDir({ prefix: "nido-full-" });
  const home = join(folder, "home");
  try {
    await using mounted = await smallHome(home);
    if (!mounted) return;
    await using full = await nest({ home });
    await full.importProgram("count", COUNT);
    await full.spawn("a", { image: "count" });
    const before = await countPast(full, "a", 3);
    const ballast = join(home, "ballast");
    const pid = await full.pid("a");
    const stillRefused = new Set<string>();
    // From no room at all to room for all but the last: each write of a snapshot meets the full disk.
    for (let freeKib = 0; freeKib < 3000; freeKib += freeKib < 64 ? 16 : 256) {
      await fill(ballast, home, freeKib);
      const error = await full.call("snapshot.create", { name: "a" }).then(
        () => undefined,
        (e) => e,
      );
      if (!error) break;
      assert.ok(error instanceof NidoError, String(error));
      assert.equal(error.code, "exhausted", `${freeKib} KiB: ${error.message}`);
      stillRefused.add(error.message.replace(/:.*/, ""));
      await Deno.remove(ballast);
      assert.deepEqual(await namesIn(join(full.at("a", "snapshots"))), []);
      assert.deepEqual(await namesIn(files.staging(home)), []);
      assert.equal((await full.row("a"))!.state, "paused");
      assert.equal(await full.pid("a"), pid);
      const { count, boots } = await countOf(full, "a");
      assert.ok(count >= before.count && boots === 1, "no work is lost");
    }
    await Deno.remove(ballast).catch(() => {});
    assert.deepEqual([...stillRefused], ["The disk is full"]);
    const kept = await countOf(full, "a");
    await full.call("snapshot.create", { name: "a", label: "there-is-room" });
    await full.call("vm.resume", { name: "a" });
    await countPast(full, "a", kept.count + 2);
    await full.call("snapshot.restore", { name: "a", label: "there-is-room" });
    assert.deepEqual(await countOf(full, "a"), kept);
    await full.call("vm.delete", { names: ["a"], force: true });
    assert.deepEqual(await namesIn(files.layers(home)), []);
    assert.equal((await machinesOf(home)).size, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

async function fill(ballast: string, home: string, freeKib: number): Promise<void> {
  const { stdout } = await run("df", ["--output=avail", "-k", home]);
  const availableKib = Number(new TextDecoder().decode(stdout).split("\n")[1]);
  await Deno.writeFile(ballast, new Uint8Array(Math.max(0, availableKib - freeKib) * 1024));
}
