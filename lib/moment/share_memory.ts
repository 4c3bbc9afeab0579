import { dirname, join } from "node:path";
import type { Context } from "../context.ts";
import { files, momentFiles, vmFiles } from "../store/files.ts";
import { removeIfThere } from "../store/record.ts";
import { fillFolder } from "../vm/folder.ts";
import { launch } from "../vm/launch.ts";
import { newVm, type SoundVm, type VmRecord, type Wake } from "../vm/vm.ts";
import { freezeForGood } from "./freeze.ts";
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
  const state = join(context.home, wake.state);
  const firmwareVars = join(dirname(state), momentFiles.firmwareVars);
  await fillFolder(context, folder, {
    hostname: "incubator",
    record,
    below: files.layer(context.home, layer),
    firmwareVars,
  });
  const vm = newVm(name, folder, record);
  const ram = join(folder, momentFiles.ram);
  await launch(context, vm, { ram: { path: ram, mode: "write" }, staysPaused: true });
  await removeIfThere(state);
  await freezeForGood(context, vm, true);
  const within = (file: string) => `incubators/${id}/${file}`;
  return { ...wake, state: within(momentFiles.state), ram: within(momentFiles.ram) };
}
