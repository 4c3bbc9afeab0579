import { dirname, join } from "node:path";
import { files, vmFiles } from "../../lib/store/files.ts";
import { qemuImg } from "./fixture.ts";

/** Makes a VM's folder as far as images care: an overlay on a stored disk, and a record. */
export async function standOn(
  folder: string,
  home: string,
  digest: string,
  record: string = JSON.stringify({ schemaVersion: 1, image: { name: "x", digest } }),
): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  await overlay(join(folder, vmFiles.disk), files.diskImage(home, digest));
  await Deno.writeTextFile(join(folder, vmFiles.record), record);
  return folder;
}

export async function overlay(path: string, base: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await qemuImg("create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, path);
}
