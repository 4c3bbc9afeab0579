import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { saveMemory } from "../moment/freeze.ts";
import { operation } from "../operation.ts";
import { abandonState } from "../qemu/letting_go.ts";
import { momentFiles, vmFiles } from "../store/files.ts";
import { removeIfThere, syncFolder, writeRecord } from "../store/record.ts";
import { withStaging } from "../store/staging.ts";
import { endMachine } from "./launch.ts";
import { prepareToWake } from "./prepare_to_wake.ts";
import { cutPower } from "./shut_down.ts";
import { mustBe, mustBeSound, type SoundVm, type Vm, vmField, withMonitor, withVm } from "./vm.ts";

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: z.literal("suspended").describe("Always suspended"),
  memoryBytes: z.number().describe("What its memory takes on the disk, in bytes"),
  problems: z.array(z.string()).describe("What went wrong without stopping it"),
});

/** Writes a VM's memory to the disk and ends its machine; it goes on from there when it is resumed. */
export async function suspend(context: Context, name: string): Promise<z.input<typeof output>> {
  return await withVm(context, name, "suspend", (vm) => suspendHeld(context, vm));
}

/** Suspends a VM whose lock the caller holds. */
export async function suspendHeld(context: Context, vm: Vm): Promise<z.input<typeof output>> {
  const { name } = vm;
  mustBe(vm, "suspend", ["running", "paused"]);
  const sound = mustBeSound(vm);
  const problems = await prepareToWake(context, sound);
  context.report({ stage: "memory", message: `"${name}" tucks its head under its wing` });
  const memoryBytes = await keepMemory(context, sound, problems.length === 0);
  await cutPower(context, sound);
  await endMachine(sound);
  return { name, state: "suspended" as const, memoryBytes, problems };
}

async function keepMemory(context: Context, vm: SoundVm, hears: boolean): Promise<number> {
  const kept = join(vm.folder, vmFiles.suspended);
  await removeIfThere(kept); // of an earlier sleep, from which it has woken
  return await withStaging(context, async (folder) => {
    const { sizeBytes } = await withMonitor(
      context,
      vm,
      "work",
      (qmp) => saveMemory(context, vm, qmp, folder, { goesOn: false }),
    );
    const wake = {
      state: `vms/${vm.name}/${vmFiles.suspended}/${momentFiles.state}`,
      renews: hears ? "clock" as const : "nothing" as const,
      hostKey: vm.record.hostKey,
    };
    try {
      await Deno.rename(folder, kept);
      await syncFolder(vm.folder);
      await writeRecord(join(vm.folder, vmFiles.record), { ...vm.record, wake });
    } catch (error) {
      await removeIfThere(kept); // before it goes on: from then on that memory is behind its disk
      await withMonitor(context, vm, "work", abandonState).catch(() => {}); // the next command does
      throw error;
    }
    vm.record.wake = wake;
    return sizeBytes;
  });
}

export default operation({
  name: "vm.suspend",
  summary: "Put a VM to sleep on the disk",
  description:
    "Writes the VM's memory to the disk and frees it; resume or start brings it back where it was, " +
    "also after this host was restarted.",
  effect: "change",
  input: z.strictObject({ name: vmField }),
  output,
  positional: ["name"],
  examples: ["nido suspend web"],
  text: ({ name, memoryBytes, problems }) =>
    [
      `"${name}" sleeps (${Math.round(memoryBytes / 2 ** 20)} MiB on the disk)`,
      ...problems.map((problem) => `  note: ${problem}`),
    ].join("\n"),
  run: (context, { name }) => suspend(context, name),
});
