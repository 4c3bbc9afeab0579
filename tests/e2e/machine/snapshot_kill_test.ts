import assert from "node:assert/strict";
import { basename, dirname, join } from "node:path";
import { toNidoError } from "../../../lib/errors.ts";
import { run } from "../../../lib/host/process.ts";
import { diskChain } from "../../../lib/image/chain.ts";
import { files, snapshotFiles } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { COUNT } from "../../helpers/boot_sector.ts";
import { type Counted, countOf, countOn, countPast, diskOf } from "../../helpers/counter.ts";
import { machinesOf, type Nest, nest } from "../../helpers/nest.ts";
import { runVictim } from "../../helpers/victim.ts";

/** A command to kill at each of its steps. */
interface Victim {
  args: string[];
  /** The first step worth a run: those before it only look. */
  from: number;
  /** The last step to be killed at; default all of them. */
  to?: number;
  /** Makes the VM "a" what it is before each step. */
  prepare(home: Nest): Promise<void>;
  /** Looks at what is left, goes on with the next command and proves that nothing is lost. */
  prove(home: Nest, before: Before, step: number): Promise<void>;
}

/** What was there before the kill. */
interface Before {
  counted: Counted;
  state: string;
  pid?: number;
}

const VICTIMS: Record<string, Victim> = {
  "create of a paused VM": {
    args: ["snapshot", "create", "a", "killed"],
    from: 14,
    prepare: async (home) => {
      await makeLive(home);
      await countPast(home, "a", 0);
    },
    prove: proveCreate,
  },
  "create of a running VM": {
    args: ["snapshot", "create", "a", "killed"],
    from: 38,
    to: 84,
    prepare: async (home) => {
      await makeLive(home);
      await countPast(home, "a", 0);
      await home.call("vm.resume", { name: "a" });
    },
    prove: proveCreate,
  },
  "create of a stopped VM": {
    args: ["snapshot", "create", "a", "killed"],
    from: 8,
    prepare: makeStopped,
    prove: proveCreate,
  },
  restore: {
    args: ["snapshot", "restore", "a", "first"],
    from: 14,
    prepare: prepareRestore,
    prove: proveRestore,
  },
  delete: {
    args: ["snapshot", "delete", "a", "first", "second"],
    from: 14,
    prepare: async (home) => {
      await makeStopped(home);
      for (const label of ["first", "second"]) {
        if (!(await labels(home)).includes(label)) await create(home, label);
      }
    },
    prove: proveDelete,
  },
};

for (const [title, victim] of Object.entries(VICTIMS)) {
  Deno.test(`${title}, killed at every step, loses no work and leaves nothing half-made`, async () => {
    let next = victim.from;
    let last = victim.to ?? Infinity;
    const work = async () => {
      while (next <= last) {
        await using home = await nest();
        await home.importProgram("count", COUNT);
        for (let runs = 0; runs < 12 && next <= last; runs++) {
          const step = next++;
          if (!await killAt(home, victim, step)) last = Math.min(last, step - 1);
        }
      }
    };
    await Promise.all([work(), work()]);
    assert.ok(last > victim.from + 10, `only ${last} steps: the preload counts nothing`);
  });
}

async function killAt(home: Nest, victim: Victim, step: number): Promise<boolean> {
  await victim.prepare(home);
  const row = await home.row("a");
  const state = row!.state;
  const before: Before = {
    state,
    counted: await steadyCount(home),
    pid: state === "stopped" ? undefined : await home.pid("a"),
  };
  const killed = await runVictim(home.home, victim.args, { atStep: step });
  const where = `step ${step}: ${killed.stderr.trim().split("\n").at(-1)}`;
  try {
    await nothingIsHalfMade(home);
    await victim.prove(home, before, step);
    await nothingIsOrphaned(home);
  } catch (error) {
    await run("rm", ["-rf", files.staging(home.home)]); // or its end would hide why
    throw new Error(`${where}: ${toNidoError(error).message}`, { cause: error });
  }
  return killed.signal === "SIGKILL";
}

async function makeLive(home: Nest): Promise<void> {
  const row = await home.row("a");
  if (!row) return await home.spawn("a", { image: "count" });
  if (row.state === "stopped") await home.call("vm.start", { name: "a", wait: "running" });
  if (row.state === "paused") await home.call("vm.resume", { name: "a" });
}

async function makeStopped(home: Nest): Promise<void> {
  if (!await home.row("a")) {
    await makeLive(home);
    await countPast(home, "a", 2);
  }
  if ((await home.row("a"))!.state !== "stopped") {
    await home.call("vm.stop", { name: "a", force: true });
  }
}

async function prepareRestore(home: Nest): Promise<void> {
  const isNew = !await home.row("a");
  await makeLive(home);
  const { count } = await countPast(home, "a", 0);
  if (isNew) await create(home, "first");
  await home.call("vm.resume", { name: "a" });
  await countPast(home, "a", count + 1);
  await home.call("vm.resume", { name: "a" });
}

/** What a VM has on its disk; one that runs goes on afterwards. */
async function steadyCount(home: Nest): Promise<Counted> {
  const isRunning = (await home.row("a"))!.state === "running";
  if (isRunning) await home.call("vm.pause", { name: "a" });
  const counted = await countOf(home, "a");
  if (isRunning) await home.call("vm.resume", { name: "a" });
  return counted;
}

async function create(home: Nest, label: string): Promise<void> {
  await home.call("snapshot.create", { name: "a", label });
}

async function labels(home: Nest): Promise<string[]> {
  return (await listed(home)).map(({ label }) => label);
}

async function listed(home: Nest): Promise<{ label: string; state: string }[]> {
  type Listed = { snapshots: { label: string; state: string }[] };
  return (await home.call<Listed>("snapshot.list", { name: "a" })).snapshots;
}

async function layerOf(home: Nest, label: string): Promise<string> {
  const record = join(home.at("a", "snapshots"), label, snapshotFiles.record);
  return files.layer(home.home, JSON.parse(await Deno.readTextFile(record)).layer);
}

async function nothingIsHalfMade(home: Nest): Promise<void> {
  for (const { label, state } of await listed(home)) assert.equal(state, "ready", label);
}

async function proveCreate(home: Nest, before: Before): Promise<void> {
  await home.call("vm.set", { name: "a", labels: { touched: "yes" } });
  assert.equal((await home.row("a"))!.state, before.state);
  if (before.pid) assert.equal(await home.pid("a"), before.pid, "the machine is the same");
  const now = await steadyCount(home);
  if (before.state === "stopped") assert.deepEqual(now, before.counted);
  assert.ok(now.count >= before.counted.count, "its disk went back");
  assert.equal(now.boots, before.counted.boots);
  if (before.state === "running") await home.call("vm.pause", { name: "a" });

  const kept = await countOf(home, "a");
  await create(home, "next");
  if (before.state === "stopped") await home.call("vm.start", { name: "a", wait: "running" });
  for (const label of await labels(home)) {
    await home.call("snapshot.restore", { name: "a", label });
    if (label === "next") assert.deepEqual(await countOf(home, "a"), kept);
  }
  await home.call("snapshot.delete", { name: "a", labels: await labels(home) });
}

async function proveRestore(home: Nest, before: Before, step: number): Promise<void> {
  const { state } = (await home.row("a"))!;
  assert.ok(["running", "paused", "suspended", "stopped", "crashed"].includes(state), state);
  if (step % 2) {
    if (state === "paused") await home.call("vm.resume", { name: "a" });
    else if (state !== "running") await home.call("vm.start", { name: "a", wait: "running" });
    assert.equal((await home.row("a"))!.state, "running");
    const boots = before.counted.boots + (["stopped", "crashed"].includes(state) ? 1 : 0);
    assert.equal((await countPast(home, "a", 0, boots)).boots, boots);
  }
  await home.call("snapshot.restore", { name: "a", label: "first" });
  assert.equal((await home.row("a"))!.state, "paused");
  assert.deepEqual(await countOf(home, "a"), await countOn(await layerOf(home, "first")));
  assert.equal((await machinesOf(home.home)).size, 1);
  assert.deepEqual(await labels(home), ["first"]);
}

async function proveDelete(home: Nest, before: Before): Promise<void> {
  const left = await labels(home);
  for (const label of left) {
    await home.call("snapshot.restore", { name: "a", label });
    assert.deepEqual(await countOf(home, "a"), before.counted);
  }
  if (left.length > 0) await home.call("snapshot.delete", { name: "a", labels: left });
  else {
    await create(home, "swept");
    await home.call("snapshot.delete", { name: "a", labels: ["swept"] });
  }
  assert.deepEqual(await labels(home), []);
}

/** Nothing is in staging, and of frozen layers there are those that the VM and its snapshots need. */
async function nothingIsOrphaned(home: Nest): Promise<void> {
  const disk = await diskOf(home, "a");
  const chain = await diskChain(home.home, disk);
  const needed = new Set(chain.map((path) => basename(path)));
  for (const label of await labels(home)) {
    for (const path of await diskChain(home.home, await layerOf(home, label))) {
      needed.add(basename(path));
    }
  }
  const orphans = (await namesIn(files.layers(home.home))).filter((name) => !needed.has(name));
  assert.deepEqual(orphans, [], "orphaned layers");
  const disks = (await namesIn(dirname(disk))).filter((name) => name.endsWith(".qcow2"));
  assert.deepEqual(disks, [basename(disk)], "left disks");
  assert.deepEqual(await namesIn(files.staging(home.home)), [], "staging");
  await run("qemu-img", ["check", "-q", "-U", "-f", "qcow2", disk]);
}
