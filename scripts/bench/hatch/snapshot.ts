import { operations } from "../../../lib/operations.ts";
import { msOf, msRow } from "../measure.ts";
import { answers, type Bench, hatch, remove, RUNS } from "./bench.ts";

/** Snapshots of a running VM, made and gone back to. */
export async function snapshotPart(bench: Bench): Promise<void> {
  const [create, restore] = ["snapshot.create", "snapshot.restore"].map((name) => operations[name]);
  if (!create || !restore) return console.error("    there are no snapshots yet");
  await hatch(bench, "source", "ready");
  const call = async (operation: NonNullable<typeof create>, input: Record<string, unknown>) =>
    await (await operation()).default.call(bench.context, input);
  const [made, restored]: number[][] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    const which = { name: "bench-source", label: `bench-${run}` };
    made!.push(await msOf(() => call(create, which)));
    restored!.push(await msOf(() => call(restore, which)));
    await answers(bench, "source");
  }
  await remove(bench, "source");
  bench.rows.push(
    msRow("(f) snapshot of a running VM, memory and disk", made!),
    msRow("    restore of it, to running", restored!),
  );
}
