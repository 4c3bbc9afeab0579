import assert from "node:assert/strict";
import { join } from "node:path";
import { freezeLayer } from "../../../lib/moment/freeze.ts";
import { holdStill } from "../../../lib/qemu/letting_go.ts";
import { openSoundVm, withMonitor } from "../../../lib/vm/vm.ts";
import { nest } from "../../helpers/nest.ts";

// A client that dies takes along what QEMU has read of it and not begun: each command may be the last.

Deno.test("a mark without a stop is no reason to fail, nor to let a paused VM go on", async () => {
  await using home = await nest();
  await home.spawn("x");
  const vm = await openSoundVm(home.context, "x");
  await withMonitor(home.context, vm, "work", async (qmp) => {
    await holdStill(qmp);
    await qmp.execute("cont");
  });
  assert.equal((await home.row("x"))?.state, "running");
  await home.call("snapshot.create", { name: "x", label: "first" });
  await withMonitor(home.context, vm, "work", async (qmp) => {
    await holdStill(qmp);
    await qmp.execute("cont");
  });
  await home.call("vm.pause", { name: "x" });
  await home.call("vm.set", { name: "x", labels: { a: "b" } });
  const row = await home.row("x");
  assert.deepEqual([row?.state, row?.problems], ["paused", []]);
});

Deno.test("a layer that QEMU was told of and not switched to is switched to by the next freeze", async () => {
  await using home = await nest();
  await home.spawn("x");
  const vm = await openSoundVm(home.context, "x");
  await freezeLayer(home.context, vm);
  await withMonitor(home.context, vm, "work", async (qmp) => {
    await qmp.execute("blockdev-add", {
      driver: "qcow2",
      "node-name": vm.record.disk.replace(".qcow2", ""),
      discard: "unmap",
      backing: null,
      file: { driver: "file", filename: join(vm.folder, vm.record.disk), discard: "unmap" },
    });
  });
  await home.call("snapshot.create", { name: "x", label: "first" });
  await home.call("snapshot.create", { name: "x", label: "second" });
  await home.call("snapshot.restore", { name: "x", label: "first" });
  assert.equal((await home.row("x"))?.state, "running");
});
