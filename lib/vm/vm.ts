import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { nearestName } from "../nearest_name.ts";
import { hasPidFile, livingMachine, livingMachines } from "../qemu/qemu_process.ts";
import { Qmp } from "../qemu/qmp.ts";
import { files, runFiles, vmFiles } from "../store/files.ts";
import { type LockRequest, withLock } from "../store/lock.ts";
import { namesIn, readRecord } from "../store/record.ts";
import { runFolder } from "../store/run_folder.ts";
import { vmName } from "./name.ts";
import { forwardedPort } from "./port.ts";

/** What a VM should be; whether it runs is never written down. */
export const vmRecord = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.uuid(),
  createdAt: z.iso.datetime(),
  image: z.strictObject({ name: z.string(), digest: z.string() }),
  architecture: z.enum(["x86_64", "aarch64"]),
  firmware: z.enum(["bios", "uefi"]),
  machineType: z.string(),
  accelerator: z.enum(["kvm", "hvf", "whpx", "tcg"]).optional(),
  cpus: z.int().min(1),
  memoryMib: z.int().min(1),
  user: z.string(),
  network: z.enum(["full", "none"]),
  ports: z.array(forwardedPort),
  labels: z.record(z.string(), z.string()),
  hostKey: z.string(),
});

/** What a VM should be, as its `vm.json` says. */
export type VmRecord = z.output<typeof vmRecord>;

/** What a VM is, derived from its folder and its process. */
export const vmState = z.enum(["running", "paused", "suspended", "stopped", "crashed", "broken"])
  .describe(
    "running, paused, suspended, stopped, crashed (QEMU died) or broken (unreadable record)",
  );

/** What a VM is, derived from its folder and its process. */
export type VmState = z.output<typeof vmState>;

/** A VM as it is at this moment. */
export interface Vm {
  name: string;
  folder: string;
  state: VmState;
  /** Absent when the record can't be read: the VM is broken. */
  record?: VmRecord;
  /** QEMU's process, proven to be this VM's. */
  pid?: number;
  /** QEMU lives but was never let go: whoever started it died in the middle. */
  isHalfStarted: boolean;
  /** QEMU lives, but its monitor does not answer. */
  isDeaf: boolean;
  problems: string[];
}

/** A VM whose record is readable. */
export type SoundVm = Vm & { record: VmRecord };

/** The input field that names a VM. */
export const vmField = vmName.describe("Name of the VM");

/** Reads one VM; `not_found` names the nearest one. */
export async function openVm(context: Context, name: string): Promise<Vm> {
  const vm = await findVm(context, name);
  if (vm) return vm;
  const nearest = nearestName(name, await vmNames(context.home));
  throw new NidoError(
    "not_found",
    `No VM "${name}"${nearest ? `; the nearest is "${nearest}"` : ""}`,
    {
      hint: nearest ? `nido info ${nearest}` : "nido list",
      details: { nearest },
    },
  );
}

/** Reads one VM whose record must be readable. */
export async function openSoundVm(context: Context, name: string): Promise<SoundVm> {
  return mustBeSound(await openVm(context, name));
}

/** Reads one VM if it is there. */
export async function findVm(context: Context, name: string): Promise<Vm | undefined> {
  const folder = files.vm(context.home, name);
  if (!await isFolder(folder)) return;
  return await derive(context, name, await livingMachine(join(folder, vmFiles.pid)));
}

/** Reads all VMs; a broken one is listed as such and never hides the others. */
export async function listVms(context: Context): Promise<Vm[]> {
  const names = await vmNames(context.home);
  const pidFiles = names.map((name) => join(files.vm(context.home, name), vmFiles.pid));
  const living = await livingMachines(pidFiles);
  const vms = names.map((name, index) => derive(context, name, living.get(pidFiles[index]!)));
  return (await Promise.all(vms)).filter((vm) => vm !== undefined);
}

/** The names of all VM folders, sorted. */
export async function vmNames(home: string): Promise<string[]> {
  return (await namesIn(files.vms(home))).filter((name) => vmName.safeParse(name).success);
}

/** Runs with the VM's lock held: two commands never work on one VM at once. */
export async function withVm<T>(
  context: Context,
  name: string,
  verb: string,
  run: (vm: Vm) => Promise<T>,
): Promise<T> {
  await openVm(context, name);
  return await withLock(
    context,
    vmLock(name, verb),
    async () => await run(await openVm(context, name)),
  );
}

/** The lock that guards one VM. */
export function vmLock(name: string, verb: string): LockRequest {
  return { what: `vm-${name}`, doing: `${verb} VM "${name}"` };
}

/** Refuses a VM that isn't in one of the states that a verb needs. */
export function mustBe(vm: Vm, verb: string, states: VmState[], hint?: string): void {
  if (states.includes(vm.state)) return;
  if (vm.state === "broken") mustBeSound(vm);
  throw new NidoError("wrong_state", `Cannot ${verb} VM "${vm.name}": it is ${vm.state}`, {
    hint: hint ?? nextStep(vm),
    details: { state: vm.state },
  });
}

/** Refuses a VM whose record can't be read. */
export function mustBeSound(vm: Vm): SoundVm {
  if (vm.record) return vm as SoundVm;
  throw new NidoError("integrity", `VM "${vm.name}" is broken: ${vm.problems.join("; ")}`, {
    hint: `nido delete ${vm.name}`,
    details: { problems: vm.problems },
  });
}

/** Where a VM's sockets are. */
export async function socketPath(
  context: Context,
  vm: { name: string },
  socket: keyof typeof runFiles,
): Promise<string> {
  return join(await runFolder(context.home, vm), runFiles[socket]);
}

/** Opens a VM's monitor, hands it over and closes it. */
export async function withMonitor<T>(
  context: Context,
  vm: SoundVm,
  monitor: "work" | "query",
  use: (qmp: Qmp) => Promise<T>,
): Promise<T> {
  await using qmp = await Qmp.connect(await socketPath(context, vm, monitor));
  return await use(qmp);
}

async function derive(
  context: Context,
  name: string,
  pid: number | undefined,
): Promise<Vm | undefined> {
  const folder = files.vm(context.home, name);
  const vm: Vm = {
    name,
    folder,
    state: "stopped",
    pid,
    isHalfStarted: false,
    isDeaf: false,
    problems: [],
  };
  try {
    vm.record = await readRecord(join(folder, vmFiles.record), vmRecord);
    if (!vm.record) vm.problems.push(`its ${vmFiles.record} is missing`);
  } catch (error) {
    vm.problems.push(toNidoError(error).message);
  }
  if (!vm.record) {
    // Race: a VM that was deleted a moment ago has no record either.
    if (!await isFolder(folder)) return undefined;
    vm.state = "broken";
  } else if (pid !== undefined) await deriveFromMonitor(context, mustBeSound(vm));
  else await deriveWithoutProcess(context, mustBeSound(vm));
  return vm;
}

async function deriveWithoutProcess(context: Context, vm: SoundVm): Promise<void> {
  const pidFile = join(vm.folder, vmFiles.pid);
  if (!await hasPidFile(pidFile)) return;
  // Race: QEMU may have written its pid after we looked for it.
  vm.pid = await livingMachine(pidFile);
  if (vm.pid !== undefined) return await deriveFromMonitor(context, vm);
  if (await hasPidFile(pidFile)) vm.state = "crashed";
}

const QUERY_MS = 3_000;

async function deriveFromMonitor(context: Context, vm: SoundVm): Promise<void> {
  vm.state = "running";
  try {
    const path = await socketPath(context, vm, "query");
    await using qmp = await Qmp.connect(path, QUERY_MS);
    const { status } = await qmp.execute<{ status: string }>("query-status", {}, QUERY_MS);
    if (status === "prelaunch") {
      vm.state = "stopped";
      vm.isHalfStarted = true;
      vm.problems.push("its start is not finished, or was interrupted");
    } else if (status !== "running") {
      vm.state = "paused";
      if (status !== "paused") vm.problems.push(`QEMU says ${status}`);
    }
  } catch (error) {
    const pidFile = join(vm.folder, vmFiles.pid);
    vm.pid = await livingMachine(pidFile);
    if (vm.pid === undefined) vm.state = await hasPidFile(pidFile) ? "crashed" : "stopped";
    else {
      vm.isDeaf = true;
      vm.problems.push(`its monitor does not answer: ${toNidoError(error).message}`);
    }
  }
}

function nextStep(vm: Vm): string {
  switch (vm.state) {
    case "stopped":
    case "crashed":
      return `nido start ${vm.name}`;
    case "paused":
    case "suspended":
      return `nido resume ${vm.name}`;
    default:
      return `nido info ${vm.name}`;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch {
    return false;
  }
}
