import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { operation } from "../operation.ts";
import { retireLock, takeLock } from "../store/lock.ts";
import { discard } from "./discard.ts";
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
  for (const name of new Set(names)) await removeVm(context, name, { force });
  return { deleted: [...new Set(names)] };
}

/** How to delete one VM. */
export interface Removal {
  /** Also when it runs. */
  force?: boolean;
  /** Only if the VM of this name is still the one with this id. */
  id?: string;
  /** Only if the VM, as it is now, is still one to delete. */
  onlyIf?: (vm: Vm) => boolean;
  /** How long to wait for another command to be done with it. */
  patienceMs?: number;
}

/** Deletes one VM under its lock, and tells whether it did; one that is gone already is fine. */
export async function removeVm(
  context: Context,
  name: string,
  how: Removal = {},
): Promise<boolean> {
  const request = { ...vmLock(name, "delete"), patienceMs: how.patienceMs };
  using lock = await takeLock(context, request);
  const vm = await findVm(context, name);
  const isOther = vm && how.id !== undefined && vm.record?.id !== how.id;
  if (isOther || (vm && how.onlyIf?.(vm) === false)) return false;
  if (vm) {
    checkDeletable(vm, how.force ?? false);
    await discard(context, vm);
  }
  await retireLock(lock);
  return vm !== undefined;
}

function checkDeletable(vm: Vm, force: boolean): void {
  if (force || vm.pid === undefined || vm.isHalfStarted) return;
  if (vm.state === "broken") {
    const fact = "it is broken, and its QEMU still runs";
    throw new NidoError("wrong_state", `Cannot delete VM "${vm.name}": ${fact}`, {
      hint: `nido delete ${vm.name} --force`,
      details: { state: vm.state },
    });
  }
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
  short: { force: "f" },
  examples: ["nido delete web", "nido delete web db --force"],
  text: ({ deleted }) => deleted.map((name) => `"${name}" has left the nest`).join("\n"),
  run: deleteVms,
});
