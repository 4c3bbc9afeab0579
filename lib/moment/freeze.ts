import { join } from "node:path";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { diskChain, MOST_LAYERS } from "../image/chain.ts";
import { activeLayer, isAt, switchLayer } from "../qemu/layer_switch.ts";
import { emptyOverlay } from "../qemu/overlay.ts";
import { letGo, noteStillness } from "../qemu/letting_go.ts";
import type { Qmp } from "../qemu/qmp.ts";
import { type SaveRequest, saveState } from "../qemu/state_stream.ts";
import { readQcow2 } from "../image/qcow2.ts";
import { files, momentFiles, nextLayer, runFiles, vmFiles } from "../store/files.ts";
import { withLock } from "../store/lock.ts";
import { syncFolder, writeFileAtomic, writeRecord } from "../store/record.ts";
import { runFolder } from "../store/run_folder.ts";
import { tellTime } from "../vm/go_on.ts";
import { endMachine } from "../vm/launch.ts";
import { cutPower } from "../vm/shut_down.ts";
import { type SoundVm, withMonitor } from "../vm/vm.ts";
import { layersLock } from "./layers.ts";

/** A VM's memory, and the layer of its disk, at one instant. */
export interface Frozen {
  /** The id of the layer, which is only read from now on. */
  layer: string;
  stateBytes: number;
  /** How long the VM stood still, in milliseconds. */
  stillMs: number;
  /** What went wrong without stopping it. */
  problems: string[];
}

/** A clock that is late by less is nobody's concern. */
const LATE_MS = 300;

/** Refuses one more layer where the VM would not start on it. */
export async function checkDepth({ home }: Context, vm: SoundVm): Promise<void> {
  const { length } = await diskChain(home, join(vm.folder, vm.record.disk));
  if (length < MOST_LAYERS) return;
  const atRest = vm.pid === undefined ? "" : `nido stop ${vm.name}, then `;
  throw new NidoError(
    "exhausted",
    `Cannot freeze VM "${vm.name}": its disk stands on ${
      length - 1
    } layers, and with one more it ` +
      "would not start",
    {
      hint: `${atRest}nido template create ${vm.name} ${vm.name}-flat --keep-identity`,
      details: { layers: length },
    },
  );
}

/**
 * Freezes a live VM whose lock the caller holds: its memory and device state go to `folder`, while
 * the guest runs where that is safe; it goes on in a new layer of its disk.
 */
export async function freeze(context: Context, vm: SoundVm, folder: string): Promise<Frozen> {
  await checkDepth(context, vm);
  const frozen = await withMonitor(context, vm, "work", async (qmp) => {
    let layer = "";
    const { sizeBytes, stillMs } = await saveMemory(context, vm, qmp, folder, {
      goesOn: true,
      atSwitchover: async () => {
        layer = await freezeLayer(context, vm, qmp);
      },
    });
    if (vm.state === "paused") await letGo(qmp);
    return { layer, stateBytes: sizeBytes, stillMs };
  });
  const isLate = vm.state === "running" && frozen.stillMs > LATE_MS;
  return { ...frozen, problems: isLate ? await tellTime(context, vm) : [] };
}

/** Writes a live VM's memory and device state to `folder`; unless it goes on it stands still then. */
export async function saveMemory(
  context: Context,
  vm: SoundVm,
  qmp: Qmp,
  folder: string,
  { goesOn, atSwitchover }: Pick<SaveRequest, "goesOn" | "atSwitchover">,
) {
  const vars = join(vm.folder, vmFiles.firmwareVars);
  await noteStillness(qmp, vm.state === "paused");
  return await saveState(qmp, {
    socket: join(await runFolder(context.home, vm), runFiles.state),
    file: join(folder, momentFiles.state),
    withoutSharedMemory: false,
    goesOn,
    atSwitchover: async () => {
      await atSwitchover?.();
      if (vm.record.firmware === "uefi") {
        await Deno.copyFile(vars, join(folder, momentFiles.firmwareVars));
      }
    },
  });
}

/**
 * Writes the device state of a machine whose memory is a shared file, or all of its memory with it, to
 * its own folder, and ends it.
 */
export async function freezeForGood(
  context: Context,
  vm: SoundVm,
  withoutSharedMemory: boolean,
): Promise<void> {
  await withMonitor(context, vm, "work", async (qmp) => {
    await saveState(qmp, {
      socket: join(await runFolder(context.home, vm), runFiles.state),
      file: join(vm.folder, momentFiles.state),
      withoutSharedMemory,
      goesOn: false,
    });
  });
  await cutPower(context, vm);
  await endMachine(vm);
}

/**
 * Freezes the layer that a VM writes to, whose lock the caller holds, and gives its id. The VM's record
 * names the next layer before anything is written to it: whenever we are killed, what the record
 * names holds all that the guest has written.
 */
export async function freezeLayer(context: Context, vm: SoundVm, qmp?: Qmp): Promise<string> {
  const { home } = context;
  const live = qmp && await activeLayer(qmp);
  const named = join(vm.folder, vm.record.disk);
  if (live && !isAt(live, named)) {
    // A freeze that was killed had written the record and not switched the machine: now it is.
    const { backingFile } = await readQcow2(named);
    await switchLayer(qmp, live, named);
    return layerId(backingFile!);
  }
  const id = crypto.randomUUID().slice(0, 13);
  const next = nextLayer(id);
  const virtualSizeBytes = live?.virtualSizeBytes ?? (await readQcow2(named)).virtualSizeBytes;
  await withLock(context, layersLock("freeze a layer"), async () => {
    await Deno.link(named, files.layer(home, id));
    await syncFolder(files.layers(home));
    await writeFileAtomic(
      join(vm.folder, next),
      emptyOverlay(files.layer(home, id), virtualSizeBytes),
    );
  });
  vm.record.disk = next;
  await writeRecord(join(vm.folder, vmFiles.record), vm.record);
  if (live) await switchLayer(qmp, live, join(vm.folder, next));
  return id;
}

function layerId(path: string): string {
  return path.replace(/^.*[/\\]/, "").replace(/\.qcow2$/, "");
}
