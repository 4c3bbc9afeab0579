import assert from "node:assert/strict";
import { run } from "../../../lib/host/process.ts";
import { damage, listMoments } from "../../../lib/moment/moment.ts";
import { sweepIncubators } from "../../../lib/moment/incubator.ts";
import { files, momentFiles } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { eventually, leftovers, type Nest, nest } from "../../helpers/nest.ts";
import { fromFileUrl } from "../../helpers/paths.ts";
import { runVictim } from "../../helpers/victim.ts";

/** The steps before it only read the image and ask for QEMU's version. */
const FROM = 8;
const script = fromFileUrl("../fixtures/warm_tiny.ts");

Deno.test("a base that is made warm, killed at every step, is warm or is not, and leaves nothing", async () => {
  await using home = await nest();
  let step = FROM;
  for (;; step++) {
    const { signal, stderr } = await runVictim(home.home, [], { atStep: step, script });
    const made = await isWarmOrNot(home).catch((error) => {
      throw new Error(`step ${step}: ${stderr}\n${error.message}`, { cause: error });
    });
    if (signal === "SIGKILL") continue;
    assert.equal(made, 1);
    break;
  }
  assert.ok(step > FROM + 30, `only ${step} steps: the preload counts nothing`);
});

/** What is told to be warm is whole; the next command that needs an incubator clears what is left. */
async function isWarmOrNot(home: Nest): Promise<number> {
  const moments = await listMoments(home.home);
  for (const moment of moments) {
    assert.equal(await damage(moment), undefined);
    await run("qemu-img", ["check", "-q", "-f", "qcow2", `${moment.folder}/${momentFiles.disk}`]);
  }
  await sweepIncubators(home.context);
  assert.deepEqual(await namesIn(files.incubators(home.home)), []);
  // A QEMU that was starting when its folder went needs a moment to find that out and end.
  await eventually("nothing is left", async () => (await leftovers(home.home)).length === 0);
  for (const { folder } of moments) await Deno.remove(folder, { recursive: true });
  return moments.length;
}
