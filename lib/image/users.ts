import { dirname, join, resolve } from "node:path";
import { files, vmFiles } from "../store/files.ts";
import { tryLockFile } from "../store/lock.ts";
import { namesIn } from "../store/record.ts";
import { readQcow2 } from "./qcow2.ts";

const MOST_LAYERS = 64;

/** What one VM's disk stands on: the paths of all layers below it, or a digest by its record. */
interface Standing {
  vm: string;
  /** Undefined when the disk can't be read. */
  layers?: string[];
  /** Only looked up when the disk can't be read. */
  digest?: string;
}

/**
 * The VMs that stand on a stored disk, by name. The overlays themselves are asked, so that no record
 * can lie; a VM whose disk and record are both unreadable counts as a user of every disk.
 */
export async function diskUsers(home: string, digest: string): Promise<string[]> {
  return usersAmong(await standings(home), home, digest);
}

/** The users of each of these stored disks, with the VMs looked at once. */
export async function usersOfDisks(
  home: string,
  digests: string[],
): Promise<Map<string, string[]>> {
  const all = await standings(home);
  return new Map(digests.map((digest) => [digest, usersAmong(all, home, digest)]));
}

function usersAmong(all: Standing[], home: string, digest: string): string[] {
  const disk = resolve(files.diskImage(home, digest));
  const users = all.filter(({ layers, digest: recorded }) =>
    layers ? layers.includes(disk) : recorded === undefined || recorded === digest
  );
  return [...new Set(users.map(({ vm }) => vm))].sort();
}

// Race: a VM that is being made moves from the staging folder to the VMs while we look. Staging is
// read first, so that it is seen in one of the two.
async function standings(home: string): Promise<Standing[]> {
  const staged = await Promise.all(
    (await namesIn(files.staging(home))).map((name) => stagedVm(join(files.staging(home), name))),
  );
  const vms = await Promise.all(
    (await namesIn(files.vms(home))).map((name) => standing(name, files.vm(home, name))),
  );
  return [...staged, ...vms].filter((found) => found !== undefined);
}

async function standing(vm: string, folder: string): Promise<Standing> {
  try {
    return { vm, layers: await layersBelow(join(folder, vmFiles.disk)) };
  } catch {
    // Whatever is wrong with the disk, the record may still tell.
    return { vm, digest: (await recordOf(folder))?.image?.digest };
  }
}

async function stagedVm(folder: string): Promise<Standing | undefined> {
  let layers: string[];
  try {
    layers = await layersBelow(join(folder, vmFiles.disk));
  } catch {
    return undefined; // not a VM, or one that has no disk yet: its maker takes the disk's lock then
  }
  // Its maker holds the lock; where it is free, the maker is dead and the folder will be swept.
  using left = await tryLockFile(`${folder}.lock`, "look for users of a disk");
  if (left) return undefined;
  return { vm: (await recordOf(folder))?.name ?? "a VM that is being made", layers };
}

/** The paths of all layers under a disk, nearest first. */
async function layersBelow(disk: string): Promise<string[]> {
  const layers: string[] = [];
  let { backingFile } = await readQcow2(disk);
  let path = disk;
  while (backingFile !== undefined && layers.length < MOST_LAYERS) {
    path = resolve(dirname(path), backingFile);
    layers.push(path);
    try {
      ({ backingFile } = await readQcow2(path));
    } catch {
      break; // the layer is lost; what is above still stands on it
    }
  }
  return layers;
}

/** What a VM's record says of its name and image, when it says it at all. */
async function recordOf(
  folder: string,
): Promise<{ name?: string; image?: { digest?: string } } | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(join(folder, vmFiles.record)));
  } catch {
    return undefined; // broken or absent
  }
}
