import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { ReaderLink } from "../guest/reader.ts";
import { requireUnixSockets } from "../host/platform.ts";
import {
  type Detached,
  FIRST_LENT_FILE,
  KILLED,
  sendSignal,
  startDetached,
} from "../host/process.ts";
import { diskChain } from "../image/chain.ts";
import { type AcceleratorChoice, chooseAccelerator } from "../qemu/accelerator.ts";
import { commandLine, type Machine, type MemoryFile } from "../qemu/command_line.ts";
import { requireFirmware } from "../qemu/firmware.ts";
import { findQemu } from "../qemu/installation.ts";
import { killMachine, readPid } from "../qemu/qemu_process.ts";
import { growLiveDisk } from "../qemu/layer_switch.ts";
import { Qmp } from "../qemu/qmp.ts";
import { loadState } from "../qemu/state_stream.ts";
import { momentFiles, runFiles, vmFiles } from "../store/files.ts";
import { isThere } from "../store/is_there.ts";
import { namesIn, removeIfThere, writeRecord } from "../store/record.ts";
import { prepareRunFolder } from "../store/run_folder.ts";
import { addForward } from "./forward.ts";
import { checkPortsAreFree } from "./port_taken.ts";
import { renewalOf } from "./renewal.ts";
import type { SoundVm, Vm, Wake } from "./vm.ts";

const QEMU_START_MS = 30_000;
const KEPT_OUT_MS = 10_000;
const ENDING_MS = 10_000;

/** How a machine is started. */
export interface Manner {
  /** Memory that is a file. */
  ram?: MemoryFile;
  /** A guest that wakes is not let go. */
  staysPaused?: boolean;
}

/** A machine that was started. */
export interface Launched {
  accelerator: AcceleratorChoice;
  /** The renewal of a guest that woke: sent, and not answered yet. */
  renewing?: ReaderLink;
}

/**
 * Starts QEMU for a VM whose lock the caller holds, and makes `vm` say so; one with memory to wake from
 * wakes. The guest is let go last, when its ports are open and recorded: killed before that, QEMU is left
 * in a state that tells, and the next command ends it. Memory that can't be loaded is `integrity`, and
 * the VM is as it was.
 */
export async function launch(
  context: Context,
  vm: SoundVm,
  manner: Manner = {},
): Promise<Launched> {
  for (const deadline = performance.now() + KEPT_OUT_MS;;) {
    try {
      return await startMachine(context, vm, manner);
    } catch (error) {
      // Race: whoever started this VM before was killed, and its QEMU came to the pid file first. It is
      // ended as soon as it has written its pid there.
      if (!isKeptOut(error) || performance.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function isKeptOut(error: unknown): boolean {
  return error instanceof NidoError && error.message.includes("Cannot lock pid file");
}

async function startMachine(
  context: Context,
  vm: SoundVm,
  { ram, staysPaused = false }: Manner,
): Promise<Launched> {
  const doing = `start VM "${vm.name}"`;
  requireUnixSockets(doing);
  await checkPortsAreFree(context, vm.record.ports, doing);
  const [qemu, accelerator] = await Promise.all([
    findQemu(context, vm.record.architecture),
    chooseAccelerator(context, vm.record.architecture, vm.record.accelerator),
    removeLeftovers(vm),
  ]);
  const machine = await machineOf(context, vm, accelerator, ram);
  const { wake } = vm.record;
  if (wake) await requireMemory(context, vm, wake);
  const pidFile = machine.paths.pid;
  // A stale pid file stays: QEMU locks it and writes it anew, and so refuses to be there twice.
  await Deno.truncate(join(vm.folder, vmFiles.qemuLog)).catch(() => {}); // absent at the first start

  const child = await startDetached(
    qemu.program,
    commandLine(machine),
    join(vm.folder, vmFiles.qemuLog),
    wake && [join(context.home, wake.state)],
  );
  let renewing: ReaderLink | undefined;
  try {
    await using qmp = await monitorOf(context, vm, machine, child);
    const { work, query, agent, hatch, vnc } = machine.paths;
    const isPrivate = [work, query, agent, hatch, vnc].map((path) => Deno.chmod(path, 0o600));
    // The guest's port must be open before its memory comes, or it would find nobody there.
    if (wake && wake.renews !== "nothing") renewing = await ReaderLink.open(hatch);
    const isLoaded = wake && wakeUp(qmp, vm, child, wake.ram !== undefined);
    isLoaded?.catch(() => {}); // awaited below, unless a socket can't be made private
    await Promise.all(isPrivate);
    try {
      for (const port of vm.record.ports) await addForward(context, qmp, port, doing);
    } finally {
      await isLoaded; // a QEMU that could not load has ended, and opens no port
    }
    if (wake) {
      const { renewal, diskBytes } = await renewalOf(context, vm, wake);
      if (diskBytes !== undefined) await growLiveDisk(qmp, diskBytes);
      await renewing?.send(renewal);
    }
    // From here on its memory is behind its disk: it must never be woken from again.
    delete vm.record.wake;
    await writeRecord(join(vm.folder, vmFiles.record), vm.record);
    if (!staysPaused) await letGo(qmp, vm, wake);
    const state = staysPaused ? "paused" : "running";
    Object.assign(vm, { state, pid: child.pid, isHalfStarted: false, problems: [] });
    if (wake) await forgetSleep(vm);
  } catch (error) {
    renewing?.[Symbol.dispose]();
    if (wake) vm.record.wake = wake;
    await endChild(child);
    await killMachine(pidFile); // one that a killed start left behind, and that kept ours out
    if (await readPid(pidFile) === child.pid) await removeIfThere(pidFile);
    throw error;
  }
  return { accelerator, renewing };
}

async function requireMemory({ home }: Context, vm: SoundVm, { state, ram }: Wake): Promise<void> {
  for (const file of ram ? [state, ram] : [state]) {
    if (await isThere(join(home, file))) continue;
    const fact = `its memory is gone: ${join(home, file)}`;
    throw new NidoError("integrity", `Cannot start VM "${vm.name}": ${fact}`, {
      hint: `nido info ${vm.name}`,
    });
  }
}

/** Lets a guest go that was started or has woken; one that QEMU refuses to let go keeps its memory. */
async function letGo(qmp: Qmp, vm: SoundVm, wake: Wake | undefined): Promise<void> {
  try {
    await qmp.execute("cont");
  } catch (error) {
    // QEMU answered that it did not: its disk is as it was. With no answer the guest may have run.
    if (wake && toNidoError(error).code === "tool_failed") {
      await writeRecord(join(vm.folder, vmFiles.record), { ...vm.record, wake });
    }
    throw error;
  }
}

async function wakeUp(
  qmp: Qmp,
  vm: SoundVm,
  child: Detached,
  withoutSharedMemory: boolean,
): Promise<void> {
  try {
    await loadState(qmp, `fd:${FIRST_LENT_FILE}`, withoutSharedMemory);
  } catch (error) {
    if (toNidoError(error).code === "timeout") throw error;
    const exitCode = await endsItself(child);
    const failed = await startFailed(vm, exitCode ?? 0);
    // Killed by somebody, or out of room: that tells nothing of the memory.
    if (exitCode === KILLED || failed.code === "exhausted") throw failed;
    const { message, details } = failed;
    throw new NidoError("integrity", message, { details, cause: error });
  }
}

/**
 * Removes what an earlier life of a VM left in its folder: layers that were frozen, old memory. Nothing
 * may have its disk open.
 */
export async function removeLeftovers(vm: SoundVm): Promise<void> {
  const { folder, record } = vm;
  const layers = (await namesIn(folder)).filter((name) => /^disk.*\.qcow2/.test(name));
  for (const name of layers) if (name !== record.disk) await removeIfThere(join(folder, name));
  const ofSleep = `/${vmFiles.suspended}/${momentFiles.state}`;
  if (!record.wake?.state.endsWith(ofSleep)) await forgetSleep(vm);
  if (!record.wake) await removeIfThere(join(folder, vmFiles.renewal));
}

async function forgetSleep({ folder }: SoundVm): Promise<void> {
  await removeIfThere(join(folder, vmFiles.suspended)).catch(() => {}); // the next start tries again
}

/** Ends a VM's QEMU, if it lives, so that the VM is stopped and not crashed. */
export async function endMachine(vm: Pick<Vm, "folder"> & Partial<Vm>): Promise<void> {
  const pidFile = join(vm.folder, vmFiles.pid);
  await killMachine(pidFile);
  await removeIfThere(pidFile);
  vm.pid = undefined;
  vm.isHalfStarted = false;
}

/** Ends a QEMU that was never let go because whoever started it died. */
export async function endHalfStarted(vm: Vm): Promise<void> {
  if (vm.isHalfStarted) await endMachine(vm);
}

/** The exit code of a QEMU that could not load its memory; one that lives on is ended, and has none. */
async function endsItself(child: Detached): Promise<number | undefined> {
  const ended = child.ended();
  const isOver = await Promise.race([ended, pause(ENDING_MS, undefined, { ref: false })]);
  if (isOver !== undefined) return await ended;
  await endChild(child);
}

// Interrupted early, QEMU has not written its pid file yet; as our child, its pid is its own still.
async function endChild(child: Detached): Promise<void> {
  if (child.isOver()) return;
  await sendSignal(child.pid, "KILL");
  await child.ended();
}

async function machineOf(
  context: Context,
  { name, folder, record }: SoundVm,
  accelerator: AcceleratorChoice,
  ram: MemoryFile | undefined,
): Promise<Machine> {
  const run = await prepareRunFolder(context.home, { name });
  const { wake } = record;
  const firmware = record.firmware === "uefi"
    ? await requireFirmware(context, record.architecture)
    : undefined;
  return {
    name,
    id: record.id,
    architecture: record.architecture,
    machineType: record.machineType,
    accelerator: accelerator.name,
    cpus: record.cpus,
    memoryMib: record.memoryMib,
    ram: ram ?? (wake?.ram ? { path: join(context.home, wake.ram), mode: "copy" } : undefined),
    wakes: wake !== undefined,
    network: record.network,
    hostOs: Deno.build.os,
    paths: {
      disk: await diskChain(context.home, join(folder, record.disk)),
      seed: join(folder, vmFiles.seed),
      firmware: firmware && { code: firmware.code, vars: join(folder, vmFiles.firmwareVars) },
      pid: join(folder, vmFiles.pid),
      work: join(run, runFiles.work),
      query: join(run, runFiles.query),
      agent: join(run, runFiles.agent),
      hatch: join(run, runFiles.hatch),
      vnc: join(run, runFiles.vnc),
    },
  };
}

async function monitorOf(
  context: Context,
  vm: SoundVm,
  machine: Machine,
  child: Detached,
): Promise<Qmp> {
  const deadline = performance.now() + QEMU_START_MS;
  let exitCode: number | undefined;
  child.exited.then((code) => exitCode = code);
  for (;;) {
    context.signal.throwIfAborted();
    try {
      return await Qmp.connect(machine.paths.work);
    } catch (error) {
      if (exitCode !== undefined) throw await startFailed(vm, exitCode);
      if (performance.now() > deadline) throw error;
      if (toNidoError(error).code !== "unavailable") throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function startFailed(vm: SoundVm, exitCode: number): Promise<NidoError> {
  const log = join(vm.folder, vmFiles.qemuLog);
  const lines = (await Deno.readTextFile(log).catch(() => "")).trim().split("\n").slice(-8);
  const told = lines.at(-1)?.replace(/^\S*qemu-system-\w+: /, "") || `exit code ${exitCode}`;
  // QEMU could not even say why, and on a full disk neither can we.
  if (lines.join("") === "") await Deno.writeTextFile(log, "\n", { append: true });
  const isFull = /no space left on device/i.test(told);
  const isMemory = /cannot allocate memory|cannot set up guest memory/i.test(told);
  return new NidoError(
    isMemory || isFull ? "exhausted" : "tool_failed",
    `Cannot start VM "${vm.name}": QEMU ended at once: ${told}`,
    {
      hint: isMemory ? `nido set ${vm.name} --memory 512M` : "nido doctor",
      details: { exitCode, qemuLogLines: lines },
    },
  );
}
