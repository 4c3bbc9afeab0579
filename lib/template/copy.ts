import { join } from "node:path";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { connectAgain } from "../guest/connect_again.ts";
import { forgetIdentity } from "../guest/forget.ts";
import { layerAbove } from "../image/layer_above.ts";
import { freeze } from "../moment/freeze.ts";
import { type Incubator, withIncubator } from "../moment/incubator.ts";
import { files, momentFiles, vmFiles } from "../store/files.ts";
import { writeNewFile, writeRecord } from "../store/record.ts";
import { endHalfStarted, endMachine, launch } from "../vm/launch.ts";
import { withSshPort } from "../vm/port.ts";
import { leaveReader } from "../vm/prepare_to_wake.ts";
import { sshTarget } from "../vm/reach.ts";
import { waitForReady } from "../vm/ready.ts";
import { renewed } from "../vm/renewal.ts";
import { checkFreeMemory } from "../vm/shape.ts";
import { shutDown } from "../vm/shut_down.ts";
import { mustBe, mustBeSound, newVm, type SoundVm, type VmRecord, withVm } from "../vm/vm.ts";

const CONNECT_MS = 60_000;
const VERB = "make a template of";
// A block of most file systems: what a guest discards leaves the disk, however small a piece it is.
const CLUSTER_BYTES = 4096;

/** How a VM's disk is copied. */
export interface CopyRequest {
  vm: string;
  /** The template that it is for, for hints. */
  name: string;
  /** Leave keys, machine id, logs and history in it. */
  keepIdentity: boolean;
  /** For the copy to get ready, and again to shut down. */
  timeoutSeconds: number;
}

/** A disk that nobody writes to, and the record of the VM whose disk it was. */
export interface CopiedDisk {
  disk: string;
  record: VmRecord;
  /** What of the copy could not be cleaned, or went wrong otherwise. */
  problems: string[];
}

/**
 * Lends a copy of a VM's disk, at rest and without what tells who the VM was. All of it happens in a
 * copy of the machine: the VM goes on, or stays stopped, and nothing is written to its disk.
 */
export async function withCopiedDisk<T>(
  context: Context,
  request: CopyRequest,
  use: (copied: CopiedDisk) => Promise<T>,
): Promise<T> {
  const { keepIdentity } = request;
  return await withIncubator(context, async (incubator) => {
    const rest = await withVm(context, request.vm, VERB, async (vm) => {
      mustBe(vm, VERB, ["running", "paused", "stopped", "crashed"]);
      const source = mustBeSound(vm);
      const { record } = source;
      const isAlive = vm.state === "running" || vm.state === "paused";
      if (isAlive || !keepIdentity) checkRoom(source);
      if (isAlive) {
        const { copy, problems } = await copyAlive(context, source, incubator, request);
        // The VM is free again while its copy is cleaned.
        return async () => {
          const copied = await bringToRest(context, source, copy, request);
          return await use({ ...copied, problems: [...problems, ...copied.problems] });
        };
      }
      await endHalfStarted(source);
      const disk = join(source.folder, record.disk);
      const result = await use(
        keepIdentity
          ? { disk, record, problems: [] }
          : await bringToRest(context, source, await copyStopped(source, incubator), request),
      );
      return () => Promise.resolve(result);
    });
    return await rest();
  });
}

function checkRoom({ name, record }: SoundVm): void {
  const hint = () => "nido list --state running";
  checkFreeMemory(record.memoryMib, 1, `copy VM "${name}" for a template`, hint);
}

/** A copy that wakes from the memory that the VM has now. */
async function copyAlive(
  context: Context,
  source: SoundVm,
  incubator: Incubator,
  request: CopyRequest,
): Promise<{ copy: SoundVm; problems: string[] }> {
  const isReached = !request.keepIdentity && source.state === "running";
  if (isReached) await reaching(context, request, () => leaveReader(context, source));
  context.report({ stage: "memory", message: `copying the memory of "${source.name}"` });
  const { layer, problems } = await freeze(context, source, incubator.folder);
  const copy = await lay(source, incubator, files.layer(context.home, layer), {
    state: `incubators/${incubator.id}/${momentFiles.state}`,
    renews: "clock",
    hostKey: source.record.hostKey,
  });
  return { copy, problems };
}

/** A copy that boots from the VM's disk, which the caller keeps from being used otherwise. */
async function copyStopped(source: SoundVm, incubator: Incubator): Promise<SoundVm> {
  if (source.record.firmware === "uefi") {
    const vars = join(source.folder, vmFiles.firmwareVars);
    await Deno.copyFile(vars, join(incubator.folder, vmFiles.firmwareVars));
  }
  return await lay(source, incubator, join(source.folder, source.record.disk));
}

// With the VM's own seed and id, this boot is no first one to cloud-init.
async function lay(
  source: SoundVm,
  { name, folder }: Incubator,
  below: string,
  wake?: VmRecord["wake"],
): Promise<SoundVm> {
  const record: VmRecord = {
    ...source.record,
    disk: vmFiles.disk,
    wake,
    network: "none",
    ports: withSshPort([]),
  };
  await writeNewFile(join(folder, record.disk), await layerAbove(below, CLUSTER_BYTES));
  await Deno.copyFile(join(source.folder, vmFiles.seed), join(folder, vmFiles.seed));
  await writeRecord(join(folder, vmFiles.record), record);
  return newVm(name, folder, record);
}

/** Starts a copy, cleans it where that is wanted, and shuts it down. */
async function bringToRest(
  context: Context,
  source: SoundVm,
  copy: SoundVm,
  request: CopyRequest,
): Promise<CopiedDisk> {
  const { keepIdentity, timeoutSeconds } = request;
  const problems: string[] = [];
  const { wake } = copy.record;
  context.report({ stage: "copy", message: `hatching a copy of "${source.name}"` });
  const { renewing } = await launch(context, copy);
  if (keepIdentity) renewing?.[Symbol.dispose]();
  else {
    problems.push(
      ...await reaching(context, request, async () => {
        if (wake) await renewed(context, copy, wake, renewing!);
        else await waitForReady(context, copy, timeoutSeconds);
        return await clean(context, copy);
      }),
    );
  }
  const stoppedBy = await shutDown(context, copy, timeoutSeconds);
  await endMachine(copy);
  if (stoppedBy === "forced") {
    problems.push("the copy did not shut down by itself: its disk is as after a power cut");
  }
  return { disk: join(copy.folder, copy.record.disk), record: source.record, problems };
}

async function clean(context: Context, copy: SoundVm): Promise<string[]> {
  context.report({ stage: "clean", message: "the copy forgets who it was" });
  const target = await sshTarget(context, copy);
  await using session = await connectAgain(context, target, { timeoutMs: CONNECT_MS });
  return await forgetIdentity(session);
}

/** Runs what needs a guest that lets us in; one that does not can be kept as it is. */
async function reaching<T>(
  context: Context,
  { vm, name }: CopyRequest,
  act: () => Promise<T>,
): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    const { code, message, details } = toNidoError(cause);
    if (context.signal.aborted || code === "cancelled") throw cause;
    throw new NidoError("unavailable", `Cannot ${VERB} VM "${vm}": ${message}`, {
      hint: `nido template create ${vm} ${name} --keep-identity`,
      details,
      cause,
    });
  }
}
