import assert from "node:assert/strict";
import { makeContext } from "../../../lib/context.ts";
import { createSnapshot } from "../../../lib/snapshot/create.ts";
import { join } from "node:path";
import { NidoError } from "../../../lib/errors.ts";
import { readQcow2 } from "../../../lib/image/qcow2.ts";
import { emptyOverlay } from "../../../lib/qemu/overlay.ts";
import { files, snapshotFiles } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { COUNT } from "../../helpers/boot_sector.ts";
import { countOf, countOn, countPast } from "../../helpers/counter.ts";
import { eventually, lives, type Nest, nest, refuses } from "../../helpers/nest.ts";

interface Created {
  label: string;
  parent?: string;
  hasMemory: boolean;
  memoryBytes?: number;
  diskBytes: number;
  screenPath?: string;
  stillMs?: number;
  problems: string[];
}

interface Listed {
  label: string;
  state: string;
  parent?: string;
  current: boolean;
  hasMemory: boolean;
  problems: string[];
}

const LATE = "its clock is late: it was frozen without a program that hears the time";

async function counting(): Promise<Nest> {
  const home = await nest();
  await home.importProgram("count", COUNT);
  return home;
}

function create(home: Nest, label?: string): Promise<Created> {
  return home.call<Created>("snapshot.create", { name: "a", label });
}

function restore(home: Nest, label: string, diskOnly = false) {
  return home.call("snapshot.restore", { name: "a", label, diskOnly });
}

async function list(home: Nest): Promise<Listed[]> {
  return (await home.call<{ snapshots: Listed[] }>("snapshot.list", { name: "a" })).snapshots;
}

function at(home: Nest, label: string, file: keyof typeof snapshotFiles): string {
  return join(home.at("a", "snapshots"), label, snapshotFiles[file]);
}

async function recordOf(home: Nest, label: string) {
  return JSON.parse(await Deno.readTextFile(at(home, label, "record")));
}

async function layerOf(home: Nest, label: string): Promise<string> {
  return files.layer(home.home, (await recordOf(home, label)).layer);
}

async function stateOf(home: Nest): Promise<string | undefined> {
  return (await home.row("a"))?.state;
}

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

Deno.test("what may not be: labels, broken VMs, snapshots that are not there", async () => {
  await using home = await counting();
  await home.spawn("a", { wait: "none" });
  const rule =
    "a snapshot's label is 1 to 63 of a-z 0-9 . _ -, with a letter or a digit at either end";
  for (const label of ["../x", "", ".", "..", "a/b", "A", "-x", "x".repeat(64)]) {
    const told = (key: string) => `${key}: ${rule}`;
    await refuses(
      create(home, label),
      "invalid_input",
      `Cannot run snapshot.create: ${told("label")}`,
    );
    await refuses(
      restore(home, label),
      "invalid_input",
      `Cannot run snapshot.restore: ${told("label")}`,
    );
    await refuses(
      home.call("snapshot.delete", { name: "a", labels: [label] }),
      "invalid_input",
      `Cannot run snapshot.delete: ${told("labels.0")}`,
    );
  }
  await create(home, "before");
  const { hint } = await refuses(
    create(home, "before"),
    "already_exists",
    'Cannot snapshot VM "a": it has a snapshot "before" already',
  );
  assert.equal(hint, "nido snapshot delete a before");
  const none = 'VM "a" has no snapshot "befor"; the nearest is "before"';
  await refuses(restore(home, "befor"), "not_found", none);
  await refuses(
    home.call("snapshot.delete", { name: "a", labels: ["before", "befor"] }),
    "not_found",
    none,
  );
  assert.deepEqual((await list(home)).map(({ label }) => label), ["before"]);
  await refuses(
    home.call("snapshot.list", { name: "b" }),
    "not_found",
    'No VM "b"; the nearest is "a"',
  );

  await Deno.writeTextFile(home.at("a", "record"), "{");
  const broken = `VM "a" is broken: Cannot read ${home.at("a", "record")}: it is not JSON`;
  await refuses(create(home), "integrity", broken);
  await refuses(restore(home, "before"), "integrity", broken);
  await refuses(
    home.call("snapshot.delete", { name: "a", labels: ["before"] }),
    "integrity",
    broken,
  );
  assert.deepEqual((await list(home)).map(({ label, current }) => [label, current]), [
    ["before", false],
  ]);
});

Deno.test("a deleted snapshot takes only what nothing else stands on", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  const counted: Record<string, { count: number; boots: number }> = {};
  for (const label of ["s1", "s2", "s3"]) {
    counted[label] = await countPast(home, "a", 0);
    await create(home, label);
    await home.call("vm.resume", { name: "a" });
  }
  await restore(home, "s2");
  await home.call("snapshot.delete", { name: "a", labels: ["s1"] });
  assert.deepEqual(
    (await list(home)).map(({ label, parent, current }) => [label, parent, current]),
    [["s2", undefined, true], ["s3", "s2", false]],
  );
  assert.equal((await namesIn(files.layers(home.home))).length, 3, "s1's layer is below s2's");
  for (const label of ["s3", "s2"]) {
    await restore(home, label);
    assert.deepEqual(await countOf(home, "a"), counted[label]);
  }
  await home.call("snapshot.delete", { name: "a", labels: ["s3", "s2", "s3"] });
  assert.deepEqual(await list(home), []);
  assert.equal((await namesIn(files.layers(home.home))).length, 2, "the VM stands on two");
  await home.call("vm.resume", { name: "a" });
  await countPast(home, "a", counted["s2"]!.count);
});

Deno.test("the snapshot that a suspended VM wakes from stays", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  await countPast(home, "a", 3);
  await create(home, "other");
  await create(home, "mine");
  await sleepOn(home, "mine");
  const { hint } = await refuses(
    home.call("snapshot.delete", { name: "a", labels: ["other", "mine"] }),
    "in_use",
    'Cannot delete snapshot "mine" of VM "a": the VM is suspended, and wakes from it',
  );
  assert.equal(hint, "nido resume a");
  assert.equal((await list(home)).length, 2, "none of them is gone");
  await home.call("vm.resume", { name: "a" });
  await home.call("snapshot.delete", { name: "a", labels: ["other", "mine"] });
  assert.equal(await stateOf(home), "running");
});

/** Memory that QEMU takes for damaged, though its digest is right: the VM is left before its waking. */
async function sleepOn(home: Nest, label: string): Promise<void> {
  const whole = await Deno.readFile(at(home, label, "state"));
  await replaceState(home, label, whole.slice(0, 1 << 20));
  const record = await home.call("vm.info", { name: "a" });
  const error = await restore(home, label).then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof NidoError, String(error));
  assert.equal(error.code, "integrity");
  assert.match(
    error.message,
    /^Cannot wake VM "a" from its memory: Cannot start VM "a": QEMU ended/,
  );
  assert.equal(error.hint, `nido snapshot restore a ${label} --disk-only`);
  assert.equal(await stateOf(home), "suspended");
  assert.equal((await home.call("vm.info", { name: "a" })).id, record.id);
  await Deno.writeFile(at(home, label, "state"), whole);
}

async function replaceState(home: Nest, label: string, state: Uint8Array<ArrayBuffer>) {
  await Deno.writeFile(at(home, label, "state"), state);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", state)).toHex();
  const record = await recordOf(home, label);
  record.memory = { ...record.memory, sizeBytes: state.length, digest: `sha256:${digest}` };
  await Deno.writeTextFile(at(home, label, "record"), JSON.stringify(record));
}

Deno.test("memory that QEMU can't load: the VM is suspended, and boots from the disk", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  const before = await countPast(home, "a", 3);
  await create(home);
  await sleepOn(home, "s1");
  assert.deepEqual(await countOf(home, "a"), before);
  assert.equal((await restore(home, "s1", true)).state, "running");
  assert.equal((await countPast(home, "a", 0, 2)).boots, 2);
});

Deno.test("a damaged snapshot ends nothing and says how to go on", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  await countPast(home, "a", 3);
  await create(home);
  await create(home, "other");
  await home.call("vm.resume", { name: "a" });
  const pid = await home.pid("a");
  const whole = await Deno.readFile(at(home, "s1", "state"));
  const flipped = whole.slice();
  flipped[whole.length >> 1]! ^= 1;
  const damages: [Uint8Array<ArrayBuffer> | undefined, string][] = [
    [whole.slice(0, -1), `its memory has ${whole.length - 1} bytes instead of ${whole.length}`],
    [flipped, "its memory was changed since"],
    [undefined, "its memory is missing"],
  ];
  for (const [state, fact] of damages) {
    if (state) await Deno.writeFile(at(home, "s1", "state"), state);
    else await Deno.remove(at(home, "s1", "state"));
    const { hint } = await refuses(
      restore(home, "s1"),
      "integrity",
      `Cannot restore snapshot "s1" of VM "a": ${fact}`,
    );
    assert.equal(hint, "nido snapshot restore a s1 --disk-only");
    assert.equal(await home.pid("a"), pid);
    assert.equal(await stateOf(home), "running");
    const listed = (await list(home)).find(({ label }) => label === "s1")!;
    if (state !== flipped) assert.deepEqual([listed.state, listed.problems], ["broken", [fact]]);
  }
  assert.equal((await restore(home, "s1", true)).state, "running");
  await Deno.writeFile(at(home, "s1", "state"), whole);
  assert.equal((await list(home)).find(({ label }) => label === "s1")!.state, "ready");

  await Deno.remove(await layerOf(home, "other"));
  const lost = await restore(home, "other").catch((error) => error);
  assert.equal(lost.code, "integrity");
  assert.match(
    lost.message,
    /^Cannot restore snapshot "other" of VM "a": a layer of its disk can't be read: /,
  );
  assert.equal(lost.hint, "nido snapshot list a");
  assert.equal(await stateOf(home), "running");
  assert.deepEqual((await list(home)).map(({ label, state }) => [label, state]), [
    ["s1", "ready"],
    ["other", "broken"],
  ]);
  await Deno.writeTextFile(at(home, "other", "record"), "{");
  assert.deepEqual((await list(home)).map(({ label, state }) => [label, state]), [
    ["other", "broken"],
    ["s1", "ready"],
  ]);
  await home.call("snapshot.delete", { name: "a", labels: ["other"] });
  await restore(home, "s1");
});

Deno.test("two snapshots at once are two; of one label, one", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  await countPast(home, "a", 3);
  const [one, two] = await Promise.all([1, 2].map(() => home.nido(["snapshot", "create", "a"])));
  assert.deepEqual([one!.code, two!.code], [0, 0], one!.stderr + two!.stderr);
  const both = await Promise.all(
    [1, 2].map(() => home.nido(["snapshot", "create", "a", "same", "--json"])),
  );
  const codes = both.map(({ code }) => code).sort();
  assert.deepEqual([codes[0], codes[1] !== 0], [0, true]);
  assert.match(both.map(({ stdout }) => stdout).join(), /it has a snapshot \\"same\\" already/);
  assert.deepEqual(
    (await list(home)).map(({ label, parent }) => [label, parent]),
    [["s1", undefined], ["s2", "s1"], ["same", "s2"]],
  );
  for (const label of ["s1", "s2", "same"]) await restore(home, label);
});

Deno.test("a disk of too many layers would not start, and so gets no more", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count", wait: "none" });
  const [record, disk] = [home.at("a", "record"), home.at("a", "disk")];
  let { backingFile: below, virtualSizeBytes } = await readQcow2(disk);
  for (let layers = 2; layers < 63; layers++) {
    const layer = files.layer(home.home, `by-hand-${layers}`);
    await Deno.writeFile(layer, emptyOverlay(below!, virtualSizeBytes));
    below = layer;
  }
  await Deno.writeFile(disk, emptyOverlay(below!, virtualSizeBytes));
  await create(home);
  assert.notEqual(JSON.parse(await Deno.readTextFile(record)).disk, "disk.qcow2");
  const fact = "its disk stands on 63 layers, and with one more it would not start";
  await refuses(create(home), "exhausted", `Cannot snapshot VM "a": ${fact}`);
  await home.call("vm.start", { name: "a", wait: "running" });
  await countPast(home, "a", 0);
});

Deno.test("a home can be reached by another path when a VM is frozen again", async () => {
  await using home = await nest();
  await home.spawn("a");
  const link = join(home.folder, "link");
  await Deno.symlink(home.home, link);
  const byLink = makeContext(link);
  await createSnapshot(home.context, { name: "a" });
  await createSnapshot(byLink, { name: "a" });
  await createSnapshot(home.context, { name: "a" });
  const { snapshots } = await home.call<{ snapshots: { label: string }[] }>("snapshot.list", {
    name: "a",
  });
  assert.deepEqual(snapshots.map(({ label }) => label), ["s1", "s2", "s3"]);
  assert.equal((await home.row("a"))?.state, "running");
});
