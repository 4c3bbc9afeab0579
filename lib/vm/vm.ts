import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { nearestName } from "../nearest_name.ts";
import { fateOf, livingMachine, livingMachines } from "../qemu/qemu_process.ts";
import { abandonState, isHeld } from "../qemu/letting_go.ts";
import { Qmp } from "../qemu/qmp.ts";
import { files, runFiles, vmFiles } from "../store/files.ts";
import { isThere } from "../store/is_there.ts";
import { type LockRequest, withLock } from "../store/lock.ts";
import { namesIn, readRecord } from "../store/record.ts";
import { runFolder } from "../store/run_folder.ts";
import { lease } from "./lease.ts";
import { checkVmName, vmName } from "./name.ts";
import { forwardedPort } from "./port.ts";

/** Frozen memory that a VM's next start wakes it from; paths are inside the home. */
const wake = z.strictObject({
  state: z.string(),
  ram: z.string().optional(),
  /** What its guest must be told: that time has passed, who it is as well, or nothing: none hears. */
  renews: z.enum(["clock", "identity", "nothing"]),
  /** The SSH host key that it shows until it has been told. */
  hostKey: z.string(),
});

/** Frozen memory that a VM's next start wakes it from. */
export type Wake = z.output<typeof wake>;

/** What a VM should be; whether it runs is never written down. */
export const vmRecord = z.strictObject({
  schemaVersion: z.literal(1),
  id: z.uuid(),
  createdAt: z.iso.datetime(),
  image: z.strictObject({ name: z.string(), digest: z.string() }),
  template: z.strictObject({ name: z.string(), digest: z.string() }).optional(),
  /** The VM whose copy it is. */
  forkedFrom: z.string().optional(),
  /** The layer, in its folder, that it writes to. */
  disk: z.string().default(vmFiles.disk),
  wake: wake.optional(),
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
  lease: lease.optional(),
  hostKey: z.string(),
});

/** What a VM should be, as its `vm.json` says. */
export type VmRecord = z.output<typeof vmRecord>;

/** What a VM is, derived from its folder and its process. */
export const vmState = z.enum(["running", "paused", "suspended", "stopped", "crashed", "broken"])
  .describe(
    "running, paused, suspended (its memory is kept on disk), stopped, crashed (QEMU died) or " +
      "broken (unreadable record)",
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
  /** It stands still because whoever froze it died in the middle. */
  isHalfFrozen: boolean;
  /** QEMU lives, but its monitor does not answer. */
  isDeaf: boolean;
  problems: string[];
}

/** A VM whose record is readable. */
export type SoundVm = Vm & { record: VmRecord };

/** A machine that was just laid into a folder. */
export function newVm(name: string, folder: string, record: VmRecord): SoundVm {
  const nothingYet = { isHalfStarted: false, isHalfFrozen: false, isDeaf: false, problems: [] };
  return { name, folder, record, state: record.wake ? "suspended" : "stopped", ...nothingYet };
}

/** The input field that names a VM. */
export const vmField = vmName.describe("Name of the VM");

/** Reads one VM; `not_found` names the nearest one. */
export async function openVm(context: Context, name: string): Promise<Vm> {
  checkVmName(name);
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
  return await readVm(context, { name, folder: files.vm(context.home, name) });
}

/** Reads the VM of a folder, wherever that is, if it is there. */
export async function readVm(
  context: Context,
  { name, folder }: { name: string; folder: string },
): Promise<Vm | undefined> {
  if (!await isFolder(folder)) return;
  return await derive(context, name, folder, await livingMachine(join(folder, vmFiles.pid)));
}

/** Reads all VMs; a broken one is listed as such and never hides the others. */
export async function listVms(context: Context): Promise<Vm[]> {
  const names = await vmNames(context.home);
  const pidFiles = names.map((name) => join(files.vm(context.home, name), vmFiles.pid));
  const living = await livingMachines(pidFiles);
  const vms = names.map((name, index) =>
    derive(context, name, files.vm(context.home, name), living.get(pidFiles[index]!))
  );
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
  patienceMs?: number,
): Promise<T> {
  await openVm(context, name);
  return await withLock(
    context,
    { ...vmLock(name, verb), patienceMs },
    async () => {
      const vm = await openVm(context, name);
      if (vm.isHalfFrozen) await thaw(context, mustBeSound(vm));
      return await run(vm);
    },
  );
}

/** Lets a machine go on that stands still because whoever froze it died. The caller holds its lock. */
async function thaw(context: Context, vm: SoundVm): Promise<void> {
  const state = await withMonitor(context, vm, "work", abandonState);
  Object.assign(vm, { state, isHalfFrozen: false, problems: [] });
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
  folder: string,
  pid: number | undefined,
): Promise<Vm | undefined> {
  const vm: Vm = {
    name,
    folder,
    state: "stopped",
    pid,
    isHalfStarted: false,
    isHalfFrozen: false,
    isDeaf: false,
    problems: [],
  };
  try {
    vm.record = await readRecord(join(folder, vmFiles.record), vmRecord);
    if (vm.record?.wake) await forgetLostMemory(context.home, vm.record);
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

// Memory that is gone holds nothing back: the VM boots from its disk.
async function forgetLostMemory(home: string, record: VmRecord): Promise<void> {
  if (!await isThere(join(home, record.wake!.state))) delete record.wake;
}

async function deriveWithoutProcess(context: Context, vm: SoundVm): Promise<void> {
  // Race: QEMU may have written its pid after we looked for it.
  const fate = await fateOf(join(vm.folder, vmFiles.pid));
  if (typeof fate === "string") return deriveEnded(vm, fate);
  vm.pid = fate.pid;
  await deriveFromMonitor(context, vm);
}

const QUERY_MS = 3_000;
const ASK_AGAIN_MS = 50;

async function deriveFromMonitor(context: Context, vm: SoundVm): Promise<void> {
  const pidFile = join(vm.folder, vmFiles.pid);
  const deadline = performance.now() + QUERY_MS;
  for (;;) {
    try {
      return deriveFromStatus(vm, await askStatus(context, vm));
    } catch (error) {
      const fate = await fateOf(pidFile);
      if (typeof fate === "string") return deriveEnded(vm, fate);
      vm.pid = fate.pid;
      const { code, message } = toNidoError(error);
      // A QEMU that is being started writes its pid before it listens.
      if (code !== "unavailable" || performance.now() > deadline) {
        vm.state = "running";
        vm.isDeaf = true;
        vm.problems.push(`its monitor does not answer: ${message}`);
        return;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
}

async function askStatus(context: Context, vm: SoundVm): Promise<string> {
  await using qmp = await Qmp.connect(await socketPath(context, vm, "query"), QUERY_MS);
  const { status } = await qmp.execute<{ status: string }>("query-status", {}, QUERY_MS);
  return status === "paused" && await isHeld(qmp) ? HELD : status;
}

function deriveFromStatus(vm: SoundVm, status: string): void {
  if (status === "running") vm.state = "running";
  else if (status === "prelaunch" || vm.record.wake) {
    vm.state = vm.record.wake ? "suspended" : "stopped";
    vm.isHalfStarted = true;
    vm.problems.push("its start is not finished, or was interrupted");
  } else {
    vm.state = "paused";
    vm.isHalfFrozen = HALF_FROZEN.includes(status);
    if (vm.isHalfFrozen) vm.problems.push("its freezing is not finished, or was interrupted");
    else if (status !== "paused") vm.problems.push(`QEMU says ${status}`);
  }
}

/** A machine that stands still only so that its memory can be copied. */
const HELD = "held";
/** What QEMU says while and after its state is written, until it is let go. */
const HALF_FROZEN = ["finish-migrate", "postmigrate", HELD];

function deriveEnded(vm: SoundVm, fate: "died" | "none"): void {
  vm.pid = undefined;
  if (vm.record.wake) vm.state = "suspended";
  else vm.state = fate === "died" ? "crashed" : "stopped";
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
