import assert from "node:assert/strict";
import { run } from "../../../lib/host/process.ts";
import { toNidoError } from "../../../lib/errors.ts";
import { namesIn, readRecord } from "../../../lib/store/record.ts";
import { files } from "../../../lib/store/files.ts";
import { vmRecord } from "../../../lib/vm/vm.ts";
import "../../helpers/mute_guest.ts";
import { eventually, leftovers, lives, type Nest, nest } from "../../helpers/nest.ts";
import { runVictim } from "../../helpers/victim.ts";

/** A command that freezes a VM, and the steps of it before which nothing is done yet. */
const VICTIMS: Record<string, { args: string[]; from: number }> = {
  suspend: { args: ["suspend", "a"], from: 14 },
  fork: { args: ["fork", "a"], from: 20 },
};

for (const [title, { args, from }] of Object.entries(VICTIMS)) {
  Deno.test(`${title}, killed at every step, leaves its VM unharmed and nothing half-made`, async () => {
    let next = from;
    let last = Infinity;
    const work = async () => {
      await using home = await nest();
      for (let step = next++; step < last; step = next++) {
        if (!await killAt(home, args, step)) last = Math.min(last, step);
      }
    };
    await Promise.all([work(), work()]);
    assert.ok(last > from + 30, `only ${last} steps: the preload counts nothing`);
  });
}

async function killAt(home: Nest, args: string[], step: number): Promise<boolean> {
  await home.spawn("a");
  const killed = await runVictim(home.home, args, { atStep: step, hasMuteGuests: true });
  const where = `step ${step}: ${killed.stderr.trim().split("\n").at(-1)}`;
  try {
    await allAreWhole(home);
    await goesOn(home, step);
    for (const { name } of await home.list()) await remove(home, name);
    await home.call("vm.prune");
    await nothingIsLeft(home);
  } catch (error) {
    throw new Error(`${where}: ${toNidoError(error).message}`, { cause: error });
  }
  return killed.signal === "SIGKILL";
}

/** Every VM can be read, and is what its process says. */
async function allAreWhole(home: Nest): Promise<void> {
  for (const { name, state, problems } of await home.list()) {
    assert.notEqual(state, "broken", `${name}: ${problems}`);
    assert.notEqual(state, "crashed", name);
    const { disk } = (await readRecord(home.at(name, "record"), vmRecord))!;
    await run("qemu-img", ["info", "-U", `${files.vm(home.home, name)}/${disk}`]);
  }
  assert.ok(await home.row("a"), "the VM is gone");
}

/** The next command finds the VM as it was, or asleep; or it can be frozen again. */
async function goesOn(home: Nest, step: number): Promise<void> {
  if ((await home.row("a"))!.state === "suspended") {
    const { woke } = await home.call("vm.start", { name: "a", wait: "running" });
    assert.equal(woke, true);
  } else if (step % 3 === 0) {
    await home.call("vm.fork", { name: "a", into: ["b"] });
    assert.equal((await home.row("b"))!.state, "running");
  } else if (step % 3 === 1) {
    await home.call("vm.suspend", { name: "a" });
    assert.equal((await home.row("a"))!.state, "suspended");
    await home.call("vm.start", { name: "a", wait: "running" });
  } else {
    await home.call("vm.set", { name: "a", labels: { seen: "yes" } });
  }
  const row = await home.row("a");
  assert.deepEqual([row?.state, row?.problems], ["running", []]);
  assert.ok(await lives(await home.pid("a")));
  if (step % 2) await standsOnItsDisk(home);
}

async function standsOnItsDisk(home: Nest): Promise<void> {
  await home.call("vm.stop", { name: "a", force: true });
  const { disk } = (await readRecord(home.at("a", "record"), vmRecord))!;
  await run("qemu-img", ["check", "-q", "-f", "qcow2", `${files.vm(home.home, "a")}/${disk}`]);
  await home.call("vm.start", { name: "a", wait: "running" });
}

async function remove(home: Nest, name: string): Promise<void> {
  await home.call("vm.delete", { names: [name], force: true });
}

/** A QEMU that was starting when its folder went needs a moment to find that out and end. */
async function nothingIsLeft(home: Nest): Promise<void> {
  let left: string[] = [];
  await eventually("nothing is left", async () => {
    left = [
      ...await leftovers(home.home),
      ...(await namesIn(files.incubators(home.home))).map((name) => `incubator ${name}`),
      ...(await namesIn(files.layers(home.home))).map((name) => `layer ${name}`),
    ];
    return left.length === 0;
  }).catch(() => assert.deepEqual(left, []));
}
