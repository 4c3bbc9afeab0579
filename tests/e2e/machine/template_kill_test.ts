import assert from "node:assert/strict";
import { toNidoError } from "../../../lib/errors.ts";
import { sweepIncubators } from "../../../lib/moment/incubator.ts";
import { sweepLayers } from "../../../lib/moment/layers.ts";
import { files } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { COUNT } from "../../helpers/boot_sector.ts";
import { type Counted, countOf, countOn, countPast } from "../../helpers/counter.ts";
import { machinesOf, type Nest, nest } from "../../helpers/nest.ts";
import { runVictim } from "../../helpers/victim.ts";

const CREATE = ["template", "create", "a", "made", "--keep-identity", "--timeout", "1s"];

/**
 * A state of the VM, and the steps of the command at which it is killed. Of a VM that lives, they end
 * while its copy shuts down, which takes any number of steps; those that follow are a stopped one's.
 */
const VICTIMS = {
  paused: { from: 20, to: 200, stride: 6 },
  stopped: { from: 16, to: Infinity, stride: 3 },
};

for (const [state, { from, to, stride }] of Object.entries(VICTIMS)) {
  Deno.test(`template create of a ${state} VM, killed, leaves no template and the VM`, async () => {
    await using home = await nest();
    await home.importProgram("count", COUNT);
    await home.spawn("a", { image: "count" });
    const before = await countPast(home, "a", 2);
    if (state === "stopped") await home.call("vm.stop", { name: "a", force: true });
    const pid = state === "paused" ? await home.pid("a") : undefined;
    let kills = 0;
    for (let next = from;; next += stride) {
      const step = next > to ? Infinity : next;
      const { signal, stderr } = await runVictim(home.home, CREATE, {
        atStep: step === Infinity ? 0 : step,
      });
      try {
        await prove(home, before, state, pid, signal === "SIGKILL");
      } catch (error) {
        const where = stderr.trim().split("\n").slice(-2).join(" ");
        throw new Error(`step ${step}: ${where}: ${toNidoError(error).message}`, { cause: error });
      }
      if (signal !== "SIGKILL") break;
      kills++;
    }
    assert.ok(kills > 10, `only ${kills} kills: the preload counts nothing`);
  });
}

async function prove(
  home: Nest,
  before: Counted,
  state: string,
  pid: number | undefined,
  wasKilled: boolean,
): Promise<void> {
  type Listed = { templates: { name: string; state: string }[] };
  const { templates } = await home.call<Listed>("template.list");
  if (!wasKilled) assert.equal(templates.length, 1);
  for (const template of templates) {
    assert.equal(template.state, "ready");
    await home.call("template.verify", { name: "made" });
    const { count, boots } = await countOn(diskOf(home));
    assert.equal(boots, before.boots);
    // The copy of a VM that lives goes on until it is shut down.
    if (pid === undefined) assert.equal(count, before.count);
    else assert.ok(count >= before.count, `${count}`);
    await home.call("template.delete", { name: "made" });
  }
  await sweepIncubators(home.context);
  await sweepLayers(home.context);
  await home.call("vm.set", { name: "a", labels: { touched: "yes" } });
  assert.deepEqual(await namesIn(files.incubators(home.home)), []);
  assert.deepEqual(await namesIn(files.templates(home.home)), []);
  assert.equal((await machinesOf(home.home)).size, pid === undefined ? 0 : 1);
  assert.equal((await home.row("a"))?.state, state);
  if (pid !== undefined) assert.equal(await home.pid("a"), pid);
  const now = await countOf(home, "a");
  assert.equal(now.boots, before.boots);
  // A paused VM whose freezing was killed runs for a moment when it is let go.
  if (pid === undefined) assert.equal(now.count, before.count);
  else assert.ok(now.count >= before.count, `${now.count}`);
}

function diskOf(home: Nest): string {
  return `${files.template(home.home, "made")}/made.compact.qcow2`;
}
