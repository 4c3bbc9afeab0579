import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { operation } from "../operation.ts";
import { killMachine } from "../qemu/qemu_process.ts";
import { files, vmFiles } from "../store/files.ts";
import { retireLock, takeLock } from "../store/lock.ts";
import { removeIfThere } from "../store/record.ts";
import { runFolder } from "../store/run_folder.ts";
import { withStaging } from "../store/staging.ts";
import { findVm, openVm, type Vm, vmField, vmLock } from "./vm.ts";

const input = z.strictObject({
  names: z.array(vmField).min(1).max(1000).describe("VMs to delete"),
  force: z.boolean().default(false).describe("Delete running ones too; what they hold is lost"),
});

const output = z.strictObject({
  deleted: z.array(z.string()).describe("Names of the VMs that are gone"),
});

/** Deletes VMs and everything of theirs. Nothing is deleted when one of them may not be. */
export async function deleteVms(
  context: Context,
  { names, force }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  for (const name of names) checkDeletable(await openVm(context, name), force);
  for (const name of new Set(names)) await removeVm(context, name, force);
  return { deleted: [...new Set(names)] };
}

/** Deletes one VM: its process is ended, its folder leaves its place in one rename. */
export async function removeVm(context: Context, name: string, force: boolean): Promise<void> {
  const lock = await takeLock(context, vmLock(name, "delete"));
  const vm = await findVm(context, name);
  if (!vm) return await retireLock(lock);
  try {
    checkDeletable(vm, force);
    await killMachine(join(vm.folder, vmFiles.pid));
    if (vm.record) await removeIfThere(await runFolder(context.home, vm.record.id));
    await withStaging(context, async (folder) => {
      await Deno.rename(vm.folder, join(folder, name));
    });
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
  for (const what of [`console-${name}`, `console-open-${name}`]) {
    await removeIfThere(files.lock(context.home, what));
  }
  await retireLock(lock);
}

function checkDeletable(vm: Vm, force: boolean): void {
  if (force || vm.pid === undefined || vm.isHalfStarted) return;
  throw new NidoError("wrong_state", `Cannot delete VM "${vm.name}": it is ${vm.state}`, {
    hint: `nido stop ${vm.name}, or nido delete ${vm.name} --force`,
    details: { state: vm.state },
  });
}

export default operation({
  name: "vm.delete",
  summary: "Delete VMs and their disks",
  description: "Removes VMs for good. A running one is refused unless forced.",
  effect: "destroy",
  idempotent: false,
  input,
  output,
  positional: ["names"],
  examples: ["nido delete web", "nido delete web db --force"],
  text: ({ deleted }) => deleted.map((name) => `"${name}" has left the nest`).join("\n"),
  run: deleteVms,
});
