import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { layerAbove } from "../image/layer_above.ts";
import { sweepLayers } from "../moment/layers.ts";
import { field, operation } from "../operation.ts";
import { files, nextLayer, snapshotFiles, vmFiles } from "../store/files.ts";
import { writeFileAtomic, writeRecord } from "../store/record.ts";
import { sweepStaging } from "../store/staging.ts";
import { launchOrTell, settled } from "../vm/awaken.ts";
import { endMachine, type Launched, removeLeftovers } from "../vm/launch.ts";
import { cutPower } from "../vm/shut_down.ts";
import {
  mustBeSound,
  openSoundVm,
  type SoundVm,
  vmField,
  vmState,
  type Wake,
  withVm,
} from "../vm/vm.ts";
import { mustBeWhole } from "./damage.ts";
import { labelField, openSnapshot, snapshotPath, type SoundSnapshot } from "./snapshot.ts";

const input = z.strictObject({
  name: vmField,
  label: labelField,
  diskOnly: field("rare", z.boolean().default(false)).describe(
    "Boot from the snapshot's disk; what its memory held is left out",
  ),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  label: labelField,
  state: vmState,
  woke: z.boolean().describe("It went on from the snapshot's memory"),
  problems: z.array(z.string()).describe("What went wrong without stopping it"),
});

/** Brings a VM back to a snapshot; what it did since is given up, unless a later snapshot keeps it. */
export async function restoreSnapshot(
  context: Context,
  { name, label, diskOnly }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const { vm, wake, launched } = await withVm(context, name, "restore", async (vm) => {
    const sound = mustBeSound(vm);
    const found = await openSnapshot(sound, label);
    const snapshot = await mustBeWhole(context, name, found, diskOnly);
    await sweepStaging(context.home);
    await goBack(context, sound, snapshot, diskOnly);
    const { wake } = sound.record;
    return { vm: sound, wake, launched: await launchAs(context, sound, snapshot) };
  });
  // A guest that stands still takes in nothing; it is told the time when it goes on.
  const isAwake = launched && vm.state === "running";
  const problems = isAwake
    ? await settled(context, vm, { ...launched, wake }).catch((error) => {
      throw toldAgain(error, name, label);
    })
    : [];
  const { state } = await openSoundVm(context, name);
  return { name, label, state, woke: wake !== undefined, problems };
}

/** A guest that woke and says nothing may say more the next time, and boots from its disk in any case. */
function toldAgain(error: unknown, name: string, label: string): unknown {
  const { code, message, details, cause } = toNidoError(error);
  if (code !== "unavailable") return error;
  const again = `nido snapshot restore ${name} ${label}`;
  return new NidoError(code, message, {
    hint: `${again}, or ${again} --disk-only`,
    details,
    cause,
  });
}

/** Ends the machine and makes the VM what it was, all in the one write of its record. */
async function goBack(
  context: Context,
  vm: SoundVm,
  { record: { layer, shape, memory }, label, folder }: SoundSnapshot,
  diskOnly: boolean,
): Promise<void> {
  const disk = nextLayer(crypto.randomUUID().slice(0, 13));
  await writeFileAtomic(join(vm.folder, disk), await layerAbove(files.layer(context.home, layer)));

  context.report({ stage: "restore", message: `"${vm.name}" flies back to "${label}"` });
  if (vm.pid !== undefined && !vm.isHalfStarted) await cutPower(context, vm);
  await endMachine(vm);
  if (vm.record.firmware === "uefi") {
    const vars = await Deno.readFile(join(folder, snapshotFiles.firmwareVars));
    await writeFileAtomic(join(vm.folder, vmFiles.firmwareVars), vars);
  }
  const wake: Wake | undefined = diskOnly || !memory ? undefined : {
    state: `${snapshotPath(vm.name, label)}/${snapshotFiles.state}`,
    renews: memory.renews,
    hostKey: vm.record.hostKey,
  };
  Object.assign(vm.record, shape, { accelerator: shape.accelerator, disk, wake });
  await writeRecord(join(vm.folder, vmFiles.record), vm.record);
  vm.state = wake ? "suspended" : "stopped";
  await removeLeftovers(vm);
  await sweepLayers(context);
}

async function launchAs(
  context: Context,
  vm: SoundVm,
  { record: { memory, wasPaused }, label }: SoundSnapshot,
): Promise<Launched | undefined> {
  if (!memory) return undefined;
  const staysPaused = wasPaused && vm.record.wake !== undefined;
  const without = `nido snapshot restore ${vm.name} ${label} --disk-only`;
  const launched = await launchOrTell(context, vm, without, { staysPaused });
  if (staysPaused) launched.renewing?.[Symbol.dispose]();
  return launched;
}

export default operation({
  name: "snapshot.restore",
  summary: "Bring a VM back to a snapshot",
  description:
    "The VM is what it was when the snapshot was made: its disk, and if it ran its memory, with the " +
    "right time. What it did since is given up, also when it runs; other snapshots stay, later ones " +
    "too. Ports and labels stay as they are.",
  effect: "destroy",
  input,
  output,
  positional: ["name", "label"],
  examples: ["nido snapshot restore web s1", "nido snapshot restore web s1 --disk-only"],
  text: ({ name, label, state, problems }) =>
    [
      `"${name}" is back at "${label}": ${state}`,
      ...problems.map((problem) => `  note: ${problem}`),
    ].join("\n"),
  run: restoreSnapshot,
});
