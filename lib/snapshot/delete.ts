import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { sweepLayers } from "../moment/layers.ts";
import { operation } from "../operation.ts";
import { vmFiles } from "../store/files.ts";
import { syncFolder } from "../store/record.ts";
import { withStaging } from "../store/staging.ts";
import { removeLeftovers } from "../vm/launch.ts";
import { mustBeSound, type SoundVm, vmField, withVm } from "../vm/vm.ts";
import { labelField, openSnapshot, snapshotPath } from "./snapshot.ts";

const input = z.strictObject({
  name: vmField,
  labels: z.array(labelField).min(1).max(1000).describe("Labels of the snapshots to delete"),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  deleted: z.array(z.string()).describe("Labels of the snapshots that are gone"),
});

/** Deletes snapshots. Nothing is deleted when one of them may not be. */
export async function deleteSnapshots(
  context: Context,
  { name, labels }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  return await withVm(context, name, "delete a snapshot of", async (vm) => {
    const sound = mustBeSound(vm);
    const leaving = await Promise.all([...new Set(labels)].map((label) => openSnapshot(vm, label)));
    for (const { label } of leaving) mustNotSleepOn(sound, label);
    await withStaging(context, async (staged) => {
      for (const { label, folder } of leaving) await Deno.rename(folder, join(staged, label));
      await syncFolder(join(vm.folder, vmFiles.snapshots));
    });
    if (vm.pid === undefined) await removeLeftovers(sound); // they hold layers back, too
    await sweepLayers(context);
    return { name, deleted: leaving.map(({ label }) => label) };
  });
}

function mustNotSleepOn({ name, record }: SoundVm, label: string): void {
  if (!record.wake?.state.startsWith(`${snapshotPath(name, label)}/`)) return;
  throw new NidoError(
    "in_use",
    `Cannot delete snapshot "${label}" of VM "${name}": the VM is suspended, and wakes from it`,
    { hint: `nido resume ${name}` },
  );
}

export default operation({
  name: "snapshot.delete",
  summary: "Delete snapshots of a VM",
  description:
    "Removes what snapshots hold. The VM stays as it is, and so do other snapshots: what a later one " +
    "needs of an earlier one is kept until nothing needs it.",
  effect: "destroy",
  input,
  output,
  positional: ["name", "labels"],
  examples: ["nido snapshot delete web s1", "nido snapshot delete web s1 s2"],
  text: ({ name, deleted }) => `"${name}" has forgotten ${deleted.join(", ")}`,
  run: deleteSnapshots,
});
