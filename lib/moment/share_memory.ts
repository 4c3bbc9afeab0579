import { dirname, join } from "node:path";
import type { Context } from "../context.ts";
import { readQcow2 } from "../image/qcow2.ts";
import { saveState } from "../qemu/state_stream.ts";
import { files, momentFiles, runFiles, vmFiles } from "../store/files.ts";
import { removeIfThere } from "../store/record.ts";
import { runFolder } from "../store/run_folder.ts";
import { fillFolder } from "../vm/folder.ts";
import { endMachine, launch } from "../vm/launch.ts";
import { cutPower } from "../vm/shut_down.ts";
import { newVm, type SoundVm, type VmRecord, type Wake, withMonitor } from "../vm/vm.ts";
import type { Incubator } from "./incubator.ts";

/**
 * Loads memory that was written in full, once, into a file that many copies can share, and gives what
 * they wake from instead. Nothing runs in it meanwhile.
 */
export async function shareMemory(
  context: Context,
  { id, name, folder }: Incubator,
  source: SoundVm,
  layer: string,
  wake: Wake,
): Promise<Wake> {
  const record: VmRecord = {
    ...source.record,
    id: crypto.randomUUID(),
    disk: vmFiles.disk,
    ports: [],
    wake: { ...wake, renews: "nothing" },
  };
  const below = files.layer(context.home, layer);
  const { virtualSizeBytes: diskBytes } = await readQcow2(below);
  const state = join(context.home, wake.state);
  const firmwareVars = join(dirname(state), momentFiles.firmwareVars);
  await fillFolder(context, folder, {
    hostname: "incubator",
    record,
    below,
    diskBytes,
    firmwareVars,
  });
  const vm = newVm(name, folder, record);
  const ram = join(folder, momentFiles.ram);
  await launch(context, vm, { ram: { path: ram, mode: "write" }, staysPaused: true });
  await removeIfThere(state);
  await withMonitor(context, vm, "work", async (qmp) => {
    await saveState(qmp, {
      socket: join(await runFolder(context.home, vm), runFiles.state),
      file: join(folder, momentFiles.state),
      withoutSharedMemory: true,
    });
  });
  await cutPower(context, vm);
  await endMachine(vm);
  const within = (file: string) => `incubators/${id}/${file}`;
  return { ...wake, state: within(momentFiles.state), ram: within(momentFiles.ram) };
}
