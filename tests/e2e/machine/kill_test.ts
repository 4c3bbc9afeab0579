import assert from "node:assert/strict";
import { join } from "node:path";
import { run } from "../../../lib/host/process.ts";
import { ERROR_CODES, toNidoError } from "../../../lib/errors.ts";
import { files, vmFiles } from "../../../lib/store/files.ts";
import { eventually, leftovers, lives, machinesOf, type Nest, nest } from "../../helpers/nest.ts";
import { runVictim } from "../../helpers/victim.ts";

/** A command to kill at each of its steps, and what is there when it begins. */
interface Victim {
  args: string[];
  before: "nothing" | "stopped" | "running" | "suspended";
  /** The first step worth a run: those before it only make the home's folders. */
  from?: number;
  /** Kill at every so many steps only: where the steps are those of other victims. */
  stride?: number;
  /** Not killed, it gives up: its guest has no system that would get ready. */
  timesOut?: true;
}

const VICTIMS: Record<string, Victim> = {
  spawn: { args: ["spawn", "a", "--wait", "running"], before: "nothing", from: 9 },
  start: { args: ["start", "a", "--wait", "running"], before: "stopped" },
  stop: { args: ["stop", "a", "--force"], before: "running" },
  "stop of a guest that does not listen": {
    args: ["stop", "a", "--timeout", "1s"],
    before: "running",
    stride: 4,
  },
  "resume of a suspended VM": { args: ["resume", "a"], before: "suspended", stride: 2 },
  delete: { args: ["delete", "a", "--force"], before: "running" },
  "set of a running VM": {
    args: ["set", "a", "--port", "81", "--label", "x=y", "--disk", "1G"],
    before: "running",
  },
  "set of a stopped VM": {
    args: ["set", "a", "--memory", "160M", "--label", "x=y", "--disk", "1G"],
    before: "stopped",
  },
  restart: {
    args: ["restart", "a", "--force", "--timeout", "1s"],
    before: "running",
    stride: 4,
    timesOut: true,
  },
};

for (const [title, victim] of Object.entries(VICTIMS)) {
  Deno.test(`${title}, killed at every step, leaves what the next command can use`, async () => {
    let next = victim.from ?? 1;
    let last = Infinity;
    const take = () => (next += victim.stride ?? 1) - (victim.stride ?? 1);
    const work = async () => {
      await using home = await nest();
      for (let step = take(); step < last; step = take()) {
        const { isKilled, code } = await killAt(home, victim, step);
        if (isKilled) continue;
        last = Math.min(last, step);
        assert.equal(code, victim.timesOut ? ERROR_CODES.timeout.exit : 0, "it works when it may");
      }
    };
    await Promise.all([work(), work()]);
    const steps = last - (victim.from ?? 1);
    assert.ok(steps > 8, `only ${steps} steps: the preload counts nothing`);
  });
}

async function killAt(
  home: Nest,
  victim: Victim,
  step: number,
): Promise<{ isKilled: boolean; code: number }> {
  const wait = victim.before === "stopped" ? "none" : "running";
  if (victim.before !== "nothing") await home.spawn("a", { wait });
  if (victim.before === "suspended") await home.call("vm.suspend", { name: "a" });
  const killed = await runVictim(home.home, victim.args, { atStep: step });
  const where = `step ${step}: ${killed.stderr.trim().split("\n").at(-1)}`;
  try {
    // Every other time the next command comes at once, while a QEMU may still be starting.
    if (step % 2) await tellsTheTruth(home);
    await goOn(home, step);
    await nothingIsLeft(home);
  } catch (error) {
    throw new Error(`${where}: ${toNidoError(error).message}`, { cause: error });
  }
  return { isKilled: killed.signal === "SIGKILL", code: killed.code };
}

/** A QEMU that was starting when its folder went needs a moment to find that out and end. */
async function nothingIsLeft(home: Nest): Promise<void> {
  let left: string[] = [];
  await eventually("nothing is left", async () => {
    left = await leftovers(home.home);
    return left.length === 0;
  }).catch(() => assert.deepEqual(left, []));
}

async function tellsTheTruth(home: Nest): Promise<void> {
  let seen = "";
  await eventually("list and processes agree", async () => {
    const row = await home.row("a");
    const machines = await machinesOf(home.home);
    seen = `${JSON.stringify(row)} and ${machines.size} machines`;
    // One that woke and was not let go yet stands still: it is paused, and goes on when it is resumed.
    if (row?.state === "running" || row?.state === "paused") return machines.size === 1;
    const isAtRest = row?.state === "stopped" || row?.state === "suspended";
    const isHalfStarted = isAtRest && row.problems.length > 0;
    return machines.size === (isHalfStarted ? 1 : 0);
  }).catch(() => assert.fail(`list says ${seen}`));
  const record = join(files.vm(home.home, "a"), vmFiles.record);
  const text = await Deno.readTextFile(record).catch(() => undefined);
  if (text !== undefined) assert.equal(JSON.parse(text).schemaVersion, 1);
}

async function goOn(home: Nest, step: number): Promise<void> {
  const row = await home.row("a");
  if (step % 4 >= 2) {
    if (!row) {
      return await home.call("vm.spawn", { name: "b", wait: "none" }).then(() => remove(home, "b"));
    }
    return await remove(home, "a");
  }
  if (!row) await home.spawn("a");
  else if (row.state === "paused") await home.call("vm.resume", { name: "a" });
  else if (row.state !== "running") await home.call("vm.start", { name: "a", wait: "running" });
  assert.equal((await home.row("a"))?.state, "running");
  assert.ok(await lives(await home.pid("a")));
  await home.call("vm.stop", { name: "a", force: true });
  assert.equal((await home.row("a"))?.state, "stopped");
  await run("qemu-img", ["check", "-q", "-f", "qcow2", home.at("a", "disk")]);
  await remove(home, "a");
}

async function remove(home: Nest, name: string): Promise<void> {
  await home.call("vm.delete", { names: [name], force: true });
}
