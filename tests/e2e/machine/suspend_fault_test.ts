import assert from "node:assert/strict";
import { join } from "node:path";
import { vmFiles } from "../../../lib/store/files.ts";
import { isThere } from "../../../lib/store/is_there.ts";
import { suspendHeld } from "../../../lib/vm/suspend.ts";
import { mustBeSound, withVm } from "../../../lib/vm/vm.ts";
import { counting } from "./counting.ts";
import { countPast, diskOf } from "../../helpers/counter.ts";

Deno.test("a VM whose sleep can't be written down goes on, and keeps nothing of it", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  const { count } = await countPast(home, "a", 0);
  await home.call("vm.resume", { name: "a" });
  const full = new Error("no space left");
  const refused = withVm(home.context, "a", "suspend", async (vm) => {
    const { record } = mustBeSound(vm);
    const labels = { toJSON: () => fail(full) };
    return await suspendHeld(home.context, { ...vm, record: { ...record, labels } as never });
  });
  await assert.rejects(refused, full);
  assert.equal((await home.row("a"))?.state, "running");
  assert.equal(await isThere(join(home.home, "vms", "a", vmFiles.suspended)), false);
  await countPast(home, "a", count);
});

function fail(error: Error): never {
  throw error;
}

Deno.test("a VM that can't go on, because its disk is in use, keeps the memory that it woke from", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  const { count } = await countPast(home, "a", 0);
  await home.call("vm.suspend", { name: "a" });
  {
    // It reads the disk and lets nobody write; its prompt says that it has opened it.
    await using reader = new Deno.Command("qemu-io", {
      args: ["-r", await diskOf(home, "a")],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const prompt = await reader.stdout.getReader().read();
    assert.match(new TextDecoder().decode(prompt.value), /^qemu-io> /);
    await assert.rejects(home.call("vm.start", { name: "a", wait: "running" }), {
      code: "tool_failed",
      message: /^QEMU refused cont: .*lock/,
    });
    await reader.stdin.close();
  }
  assert.equal((await home.row("a"))?.state, "suspended");
  await home.call("vm.resume", { name: "a" });
  const { boots } = await countPast(home, "a", count);
  assert.equal(boots, 1, "it was not booted anew");
});
