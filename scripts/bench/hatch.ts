import { makeContext } from "../../lib/context.ts";
import listed from "../../lib/vm/list.ts";
import { removeVm } from "../../lib/vm/delete.ts";
import { setSetting } from "../../lib/config/set.ts";
import { Nest } from "../../tests/helpers/guest.ts";
import { coldPart } from "./hatch/cold.ts";
import { crowdPart } from "./hatch/crowd.ts";
import { cyclesPart } from "./hatch/cycles.ts";
import { forkPart } from "./hatch/fork.ts";
import { snapshotPart } from "./hatch/snapshot.ts";
import { templatePart } from "./hatch/template.ts";
import { warmPart } from "./hatch/warm.ts";
import type { Row } from "./measure.ts";
import type { Bench } from "./hatch/bench.ts";

const PARTS = ["cold", "warm", "fork", "snapshot", "template", "crowd", "cycles"];

/** Hatching from the memory of a warm base, against booting and against the least that could do it. */
export async function hatchBench(parts = PARTS, cycles: number): Promise<Row[]> {
  const unknown = parts.filter((part) => !PARTS.includes(part));
  if (unknown.length) throw new RangeError(`No part ${unknown}; there are ${PARTS.join(", ")}`);
  await using nest = await Nest.shared("bench-");
  const context = makeContext(nest.home);
  const bench: Bench = { context, rows: [], measured: {} };
  const run = async (part: string, measure: (bench: Bench) => Promise<void>) => {
    if (!parts.includes(part)) return;
    console.error(`  ${part} ...`);
    try {
      await measure(bench);
    } catch (error) {
      // What else was and will be measured counts all the same.
      console.error(error);
      Deno.exitCode = 1;
      const { vms } = await listed.call(context, {}) as { vms: { name: string }[] };
      const names = vms.map(({ name }) => name).filter((name) => name.startsWith("bench-"));
      for (const name of names) await removeVm(context, name, { force: true });
    }
  };
  await run("cold", async () => {
    await setSetting(context, "warm", "off");
    await coldPart(bench).finally(() => setSetting(context, "warm", null));
  });
  await run("warm", warmPart);
  await run("fork", forkPart);
  await run("snapshot", snapshotPart);
  await run("template", templatePart);
  await run("crowd", crowdPart);
  await run("cycles", (bench) => cyclesPart(bench, cycles));
  return bench.rows;
}
