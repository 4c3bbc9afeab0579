import { join } from "node:path";
import type { Context } from "../context.ts";
import { sweepLayers } from "../moment/layers.ts";
import { killMachine, killMovedMachine } from "../qemu/qemu_process.ts";
import { files, vmFiles } from "../store/files.ts";
import { removeIfThere } from "../store/record.ts";
import { removeRunFolder } from "../store/run_folder.ts";
import { withStaging } from "../store/staging.ts";
import type { Vm } from "./vm.ts";

/**
 * Ends a VM whose lock the caller holds: its process is killed, its folder leaves its place in one
 * rename.
 */
export async function discard(context: Context, vm: Vm): Promise<void> {
  await removeMachine(context, vm);
  await sweepLayers(context);
}

/** Ends a machine and removes its folder, which leaves its place in one rename, and what else it has. */
export async function removeMachine(
  context: Context,
  { name, folder }: Pick<Vm, "name" | "folder">,
): Promise<void> {
  const pidFile = join(folder, vmFiles.pid);
  await killMachine(pidFile);
  await removeRunFolder(context.home, { name });
  await withStaging(context, async (staging) => {
    const moved = join(staging, name);
    await Deno.rename(folder, moved);
    // Race: a start that was killed may have left a QEMU that wrote its pid only now. One that had
    // not written it before the rename finds no folder, and ends by itself.
    await killMovedMachine(pidFile, join(moved, vmFiles.pid));
  });
  await removeConsoleLocks(context.home, name);
}

/** Removes the files of the locks that a VM's readers of its console take. */
export async function removeConsoleLocks(home: string, name: string): Promise<void> {
  for (const what of [`console-${name}`, `console-open-${name}`]) {
    await removeIfThere(files.lock(home, what));
  }
}
