import { join } from "node:path";
import type { Context } from "../context.ts";
import { toNidoError } from "../errors.ts";
import { files, vmFiles } from "../store/files.ts";
import { retireLock, takeLock } from "../store/lock.ts";
import { writeRecord } from "../store/record.ts";
import { discard } from "./discard.ts";
import { endHalfStarted, endMachine } from "./launch.ts";
import { isOver } from "./lease.ts";
import { shutDown, STOP_SECONDS } from "./shut_down.ts";
import { suspendHeld } from "./suspend.ts";
import {
  findVm,
  listVms,
  mustBeSound,
  openSoundVm,
  type SoundVm,
  type Vm,
  vmLock,
  vmNames,
  withVm,
} from "./vm.ts";

/**
 * Ends the leases that are over among these VMs: each is suspended, or stopped where that can't be,
 * or deleted if that was asked. One that another command works on is left for the next time. Gives
 * what could not be done, by name.
 */
export async function endLeases(context: Context, vms: Vm[]): Promise<Map<string, string>> {
  const failures = new Map<string, string>();
  for (const vm of vms.filter((vm) => isDue(context, vm))) {
    try {
      await endLease(context, vm);
    } catch (error) {
      if (context.signal.aborted) throw error;
      const { code, message } = toNidoError(error);
      if (code !== "busy" && code !== "not_found") failures.set(vm.name, message);
    }
  }
  return failures;
}

/** Ends the leases that are over among all VMs; reads no more than the records where none has one. */
export async function endAllLeases(context: Context): Promise<void> {
  const vms = await Promise.all((await vmNames(context.home)).map(async (name) => {
    const path = join(files.vm(context.home, name), vmFiles.record);
    const text = await Deno.readTextFile(path).catch(() => ""); // a broken VM has no lease
    return text.includes('"lease"') ? await findVm(context, name) : undefined;
  }));
  await endLeases(context, vms.filter((vm) => vm !== undefined));
}

/** Lists the VMs after the leases that are over were ended; what could not be done is a problem. */
export async function listAfterLeases(context: Context): Promise<Vm[]> {
  const vms = await listVms(context);
  if (!vms.some((vm) => isDue(context, vm))) return vms;
  const failures = await endLeases(context, vms);
  const now = await listVms(context);
  for (const vm of now) {
    const failure = failures.get(vm.name);
    if (failure) vm.problems.push(`its lease is over, but: ${failure}`);
  }
  return now;
}

function isDue(context: Context, { record }: Vm): boolean {
  return record?.lease !== undefined && isOver(record.lease, context.now());
}

async function endLease(context: Context, { name, record }: Vm): Promise<void> {
  if (record!.lease!.onExpiry === "delete") return await deleteIfDue(context, name);
  await withVm(context, name, "end the lease of", async (vm) => {
    // Race: another command may have ended it, renewed it, or made another VM of this name.
    if (!isDue(context, vm) || vm.record!.lease!.onExpiry !== "suspend") return;
    const sound = mustBeSound(vm);
    await putToRest(context, sound);
    // Its time is over once: whoever wakes it again has it without a lease.
    delete sound.record.lease;
    await writeRecord(join(sound.folder, vmFiles.record), sound.record);
  }, 0);
}

async function deleteIfDue(context: Context, name: string): Promise<void> {
  using lock = await takeLock(context, {
    ...vmLock(name, "end the lease of"),
    patienceMs: 0,
  });
  const vm = await findVm(context, name);
  if (vm && (!isDue(context, vm) || vm.record!.lease!.onExpiry !== "delete")) return;
  if (vm) await discard(context, vm);
  await retireLock(lock);
}

async function putToRest(context: Context, vm: SoundVm): Promise<void> {
  if (vm.isHalfStarted) return await endHalfStarted(vm);
  if (vm.state !== "running" && vm.state !== "paused") return;
  try {
    await suspendHeld(context, vm);
  } catch (error) {
    if (context.signal.aborted) throw error;
    Object.assign(vm, await openSoundVm(context, vm.name));
    if (vm.pid === undefined) return;
    await shutDown(context, vm, STOP_SECONDS);
    await endMachine(vm);
  }
}
