import { join } from "node:path";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { freeze, freezeLayer } from "../moment/freeze.ts";
import { snapshotFiles, vmFiles } from "../store/files.ts";
import { digestOfFile, syncFile } from "../store/sealed_file.ts";
import { type SoundVm, withMonitor } from "../vm/vm.ts";

/** What a snapshot's folder got. */
export interface Kept {
  /** The instant that it holds. */
  at: string;
  layer: string;
  memory?: { sizeBytes: number };
  stillMs?: number;
  hasScreen: boolean;
  /** What went wrong without stopping it. */
  problems: string[];
}

/** Keeps the memory, screen and disk of a live VM, which goes on. */
export async function keepAll(context: Context, vm: SoundVm, folder: string): Promise<Kept> {
  const noScreen = await keepScreen(context, vm, folder);
  const { layer, stateBytes, stillMs, problems } = await freeze(context, vm, folder);
  const at = context.now().toISOString();
  if (vm.record.firmware === "uefi") await syncFile(join(folder, snapshotFiles.firmwareVars));
  const memory = { sizeBytes: stateBytes };
  const hasScreen = noScreen === undefined;
  if (!hasScreen) problems.push(noScreen);
  return { at, layer, memory, stillMs, hasScreen, problems };
}

/** Keeps the disk of a VM that has no machine. */
export async function keepDisk(context: Context, vm: SoundVm, folder: string): Promise<Kept> {
  const layer = await freezeLayer(context, vm);
  const at = context.now().toISOString();
  if (vm.record.firmware === "uefi") {
    const kept = join(folder, snapshotFiles.firmwareVars);
    await Deno.copyFile(join(vm.folder, vmFiles.firmwareVars), kept);
    await syncFile(kept);
  }
  return { at, layer, hasScreen: false, problems: [] };
}

/** Gives why there is no picture, if so. */
async function keepScreen(
  context: Context,
  vm: SoundVm,
  folder: string,
): Promise<string | undefined> {
  const filename = join(folder, snapshotFiles.screen);
  try {
    const shot = { filename, format: "png" };
    await withMonitor(context, vm, "work", (qmp) => qmp.execute("screendump", shot));
    await Deno.chmod(filename, 0o600);
    await syncFile(filename);
  } catch (error) {
    await Deno.remove(filename).catch(() => {}); // QEMU had not begun it
    return `it has no picture of the screen: ${toNidoError(error).message}`;
  }
}

/** Reads kept memory back from the disk; it must be as long as what QEMU wrote. */
export async function verifiedDigest(
  context: Context,
  folder: string,
  { sizeBytes }: { sizeBytes: number },
): Promise<string> {
  const state = join(folder, snapshotFiles.state);
  const { size } = await Deno.stat(state);
  if (size === sizeBytes) return await digestOfFile(context, state);
  throw new NidoError(
    "integrity",
    `Cannot keep the memory: ${size} of the ${sizeBytes} bytes that QEMU wrote are on the disk`,
    { hint: "nido doctor" },
  );
}
