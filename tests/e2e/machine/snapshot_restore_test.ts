import assert from "node:assert/strict";
import { files } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { countOf, countOn, countPast } from "../../helpers/counter.ts";
import { eventually, lives, refuses } from "../../helpers/nest.ts";
import { counting, create, LATE, layerOf, list, restore, stateOf } from "./counting.ts";

Deno.test("a VM goes back and forth between snapshots, with its memory and its disk", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  const first = await countPast(home, "a", 3);
  const s1 = await create(home);
  assert.deepEqual([s1.label, s1.parent, s1.hasMemory], ["s1", undefined, true]);
  assert.deepEqual(s1.problems, ["its clock will be late when it wakes: it stands still"]);
  assert.ok(s1.memoryBytes! > 1 << 20 && s1.diskBytes > 0 && s1.stillMs! >= 0);
  assert.deepEqual((await Deno.readFile(s1.screenPath!)).slice(1, 4), new Uint8Array([80, 78, 71]));
  assert.equal(await stateOf(home), "paused", "one that was paused is paused");

  await home.call("vm.resume", { name: "a" });
  const second = await countPast(home, "a", first.count + 3);
  const s2 = await create(home);
  assert.deepEqual([s2.label, s2.parent], ["s2", "s1"]);
  await home.call("vm.resume", { name: "a" });
  const third = await countPast(home, "a", second.count + 3);

  // Paused when they were made, they are exactly what they were then; so no clock is in the way.
  for (const [label, counted] of [["s1", first], ["s2", second], ["s1", first]] as const) {
    assert.deepEqual(await restore(home, label), {
      name: "a",
      label,
      state: "paused",
      woke: true,
      problems: [],
    });
    assert.equal(await stateOf(home), "paused");
    assert.deepEqual(await countOf(home, "a"), counted);
    assert.deepEqual(await countOn(await layerOf(home, label)), counted);
  }
  await home.call("vm.resume", { name: "a" });
  const again = await countPast(home, "a", third.count);
  assert.equal(again.boots, 1, "its memory went on; it never booted again");
  const s3 = await create(home);
  assert.equal(s3.parent, "s1");
  assert.deepEqual(
    (await list(home)).map(({ label, parent, current }) => [label, parent, current]),
    [["s1", undefined, false], ["s2", "s1", false], ["s3", "s1", true]],
  );
  await home.call("vm.delete", { names: ["a"], force: true });
  assert.deepEqual(await namesIn(files.layers(home.home)), [], "its layers went with it");
  await home.assertEmpty();
});

Deno.test("a running VM is restored running; from its disk alone it boots", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  const before = await countPast(home, "a", 3);
  await home.call("vm.resume", { name: "a" });
  const pid = await home.pid("a");
  const made = await create(home, "live");
  assert.match(made.problems.join(), /^its clock will be late when it wakes: Cannot reach VM "a"/);
  assert.equal(await stateOf(home), "running");
  assert.equal(await home.pid("a"), pid, "it is the same machine");
  const kept = await countOn(await layerOf(home, "live"));
  assert.ok(kept.count >= before.count && kept.boots === 1);

  const { problems, state } = await restore(home, "live");
  assert.deepEqual([state, problems], ["running", [LATE]]);
  assert.ok(!await lives(pid), "the machine that was there has ended");
  const woken = await countPast(home, "a", kept.count);
  assert.equal(woken.boots, 1);

  const booted = await restore(home, "live", true);
  assert.deepEqual([booted.state, booted.woke], ["running", false]);
  const counted = await countPast(home, "a", 0, 2);
  assert.equal(counted.boots, 2, "it booted from what was on its disk");
});

Deno.test("a snapshot of a stopped VM holds its disk and restores to a stopped VM", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  const first = await countPast(home, "a", 3);
  await home.call("vm.stop", { name: "a", force: true });
  const { hasMemory, memoryBytes, screenPath, stillMs } = await create(home, "still");
  assert.deepEqual([hasMemory, memoryBytes, screenPath, stillMs], [
    false,
    undefined,
    undefined,
    undefined,
  ]);
  for (const diskOnly of [false, true]) {
    await home.call("vm.start", { name: "a", wait: "running" });
    assert.equal((await countPast(home, "a", 0, 2)).boots, 2);
    assert.deepEqual(await restore(home, "still", diskOnly), {
      name: "a",
      label: "still",
      state: "stopped",
      woke: false,
      problems: [],
    });
    assert.deepEqual(await countOf(home, "a"), first);
  }
});

Deno.test("size, network and machine go back; name, ports and labels stay", async () => {
  await using home = await counting();
  await home.spawn("a", { wait: "none", labels: { team: "one" } });
  await create(home);
  await home.call("vm.set", {
    name: "a",
    cpus: 1,
    memoryMib: 160,
    network: "none",
    labels: { team: "two" },
    ports: ["80"],
  });
  await restore(home, "s1");
  const { cpus, memoryMib, network, labels, ports } = await home.call("vm.info", { name: "a" });
  assert.deepEqual({ cpus, memoryMib, network, labels }, {
    cpus: 2,
    memoryMib: 128,
    network: "full",
    labels: { team: "two" },
  });
  assert.deepEqual((ports as { guest: number }[]).map(({ guest }) => guest), [22, 80]);
});

Deno.test("a crashed VM is kept and restored; a suspended one is not kept, but restored", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  await countPast(home, "a", 3);
  const pid = await home.pid("a");
  Deno.kill(pid, "SIGKILL");
  await eventually("QEMU is gone", async () => !await lives(pid));
  assert.equal(await stateOf(home), "crashed");
  const kept = await countOf(home, "a");
  assert.equal((await create(home)).hasMemory, false);
  assert.equal(await stateOf(home), "stopped");

  await home.call("vm.start", { name: "a", wait: "running" });
  await countPast(home, "a", 3);
  await home.call("vm.suspend", { name: "a" });
  const refusal = await refuses(
    create(home),
    "wrong_state",
    'Cannot snapshot VM "a": it is suspended',
  );
  assert.equal(refusal.hint, "nido resume a");
  for (
    const change of [{ cpus: 1 }, { memoryMib: 160 }, { network: "none" }, { diskGib: 1 }]
  ) {
    const [key] = Object.keys(change);
    const { hint } = await refuses(
      home.call("vm.set", { name: "a", ...change }),
      "wrong_state",
      `Cannot change ${key!.replace(/Mib|Gib/, "")} of VM "a": it is suspended`,
    );
    assert.equal(hint, "nido resume a");
  }
  await home.call("vm.set", { name: "a", labels: { a: "b" } });
  assert.equal(await stateOf(home), "suspended");

  await restore(home, "s1");
  assert.equal(await stateOf(home), "stopped");
  assert.deepEqual(await countOf(home, "a"), kept);
  assert.ok(!(await namesIn(files.vm(home.home, "a"))).includes("suspended"));

  const dead = await home.call("vm.start", { name: "a", wait: "running" }).then(() =>
    home.pid("a")
  );
  Deno.kill(dead, "SIGKILL");
  await eventually("QEMU is gone", async () => !await lives(dead));
  await restore(home, "s1");
  assert.equal(await stateOf(home), "stopped");
});

Deno.test("a VM that was suspended sleeps on, and wakes with its memory", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  const before = await countPast(home, "a", 3);
  await home.call("vm.suspend", { name: "a" });
  const woken = await home.call("vm.start", { name: "a" });
  assert.equal(woken.woke, true);
  assert.equal((await countPast(home, "a", before.count)).boots, 1);
});
