import assert from "node:assert/strict";
import { takeLock } from "../../../lib/store/lock.ts";
import { removeVm } from "../../../lib/vm/delete.ts";
import { type Vm, vmLock } from "../../../lib/vm/vm.ts";
import { eventually, lives, nest } from "../../helpers/nest.ts";

Deno.test("what is to be pruned is looked at once more under its lock", async () => {
  await using home = await nest();
  await home.spawn("x", { wait: "none" });
  const isOld = ({ record }: Vm) => record?.labels.old === "yes";
  assert.equal(await removeVm(home.context, "x", { onlyIf: isOld }), false);
  assert.equal((await home.row("x"))?.state, "stopped");
  await home.call("vm.set", { name: "x", labels: { old: "yes" } });
  assert.equal(await removeVm(home.context, "x", { onlyIf: isOld }), true);
  assert.deepEqual(await home.list(), []);
});

Deno.test("prune takes stopped VMs, crashed ones when asked, and never one that is worked on", async () => {
  await using home = await nest();
  await home.spawn("runs");
  await home.spawn("crashes");
  for (const name of ["old", "made"]) await home.spawn(name, { wait: "none" });
  await home.spawn("kept", { wait: "none", labels: { keep: "yes" } });
  const pid = await home.pid("crashes");
  Deno.kill(pid, "SIGKILL");
  await eventually("QEMU is gone", async () => !await lives(pid));

  assert.deepEqual(await home.call("vm.prune", { dryRun: true }), {
    deleted: [],
    wouldDelete: ["kept", "made", "old"],
  });
  assert.deepEqual(await home.call("vm.prune", { olderThanHours: 1 }), {
    deleted: [],
    wouldDelete: [],
  });
  assert.deepEqual(await home.call("vm.prune", { labels: { keep: "yes" } }), {
    deleted: ["kept"],
    wouldDelete: [],
  });
  {
    using _spawning = await takeLock(home.context, vmLock("made", "spawn"));
    assert.deepEqual(await home.call("vm.prune"), { deleted: ["old"], wouldDelete: [] });
  }
  assert.deepEqual((await home.list()).map(({ name }) => name), ["crashes", "made", "runs"]);
  assert.deepEqual(await home.call("vm.prune", { crashed: true }), {
    deleted: ["crashes", "made"],
    wouldDelete: [],
  });
  assert.equal((await home.row("runs"))?.state, "running");
});
