import { dirname, join, resolve } from "node:path";
import { files, momentFiles, vmFiles } from "../store/files.ts";
import { isThere } from "../store/is_there.ts";
import { tryLockFile } from "../store/lock.ts";
import { namesIn } from "../store/record.ts";
import { MOST_LAYERS } from "./chain.ts";
import { readQcow2 } from "./qcow2.ts";

/** What the record of a VM or a moment may say, as far as disks care. */
export interface StandingRecord {
  name?: string;
  image?: { digest?: string };
  template?: { name?: string };
  /** Of a moment: `warm` when it was made for a base and not of a VM. */
  kind?: string;
  /** Of a moment: the VM that it was made of. */
  vm?: string;
}

/** A VM or moment, and the layers below its disks. */
export interface Standing {
  /** The VM's name or the moment's id. */
  name: string;
  /** Its own disks, as absolute paths. */
  disks: string[];
  /** Absolute paths. */
  layers: string[];
  /** False when what it stands on can't be known from its disks. */
  isReadable: boolean;
  /** Undefined when it can't be read. */
  record?: StandingRecord;
}

/** Everything in a home that stands on disks. */
export interface Standings {
  vms: Standing[];
  moments: Standing[];
}

/** Looks at all VMs, those that are being made, and all moments. */
export async function standings(home: string): Promise<Standings> {
  // Race: what is being made moves from there to its place while we look. It is looked for there
  // first, so that it is seen in one of the two.
  const building = await Promise.all([files.staging(home), files.incubators(home)].map(foldersIn));
  const staged = await Promise.all(building.flat().map(stagedVm));
  const vms = await Promise.all(
    (await namesIn(files.vms(home))).map((name) => standingVm(name, files.vm(home, name))),
  );
  const moments = await Promise.all(
    (await namesIn(files.moments(home))).map((id) => standingMoment(home, id)),
  );
  const isFound = (found: Standing | undefined) => found !== undefined;
  return { vms: [...staged, ...vms].filter(isFound), moments: moments.filter(isFound) };
}

async function foldersIn(path: string): Promise<string[]> {
  const names = (await namesIn(path)).filter((name) => !name.endsWith(".lock"));
  return names.map((name) => join(path, name));
}

async function standingVm(name: string, folder: string): Promise<Standing | undefined> {
  const disks = await disksIn(folder);
  const found = await standing(name, disks, join(folder, vmFiles.record));
  return found && { ...found, isReadable: found.isReadable && disks.length > 0 };
}

async function standingMoment(home: string, id: string): Promise<Standing | undefined> {
  const folder = files.moment(home, id);
  return await standing(id, await disksIn(folder), join(folder, momentFiles.record));
}

async function standing(
  name: string,
  disks: string[],
  recordPath: string,
): Promise<Standing | undefined> {
  const below = await Promise.all(disks.map(layersBelow));
  // Race: what was deleted since its name was read stands on nothing any more.
  if (!await isThere(dirname(recordPath))) return undefined;
  return {
    name,
    disks,
    layers: below.flatMap((layers) => layers ?? []),
    isReadable: below.every((layers) => layers !== undefined),
    record: await recordOf(recordPath),
  };
}

async function disksIn(folder: string): Promise<string[]> {
  try {
    const names = await namesIn(folder);
    return names.filter((name) => name.endsWith(".qcow2")).map((name) => resolve(folder, name));
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  }
}

async function stagedVm(folder: string): Promise<Standing | undefined> {
  const found = await standingVm("a VM that is being made", folder);
  // Not a VM, or one that has no disk yet: its maker takes the disk's lock then.
  if (!found?.layers.length) return undefined;
  // Its maker holds the lock; where it is free, the maker is dead and the folder will be swept.
  using left = await tryLockFile(`${folder}.lock`, "look for users of a disk");
  if (left) return undefined;
  return { ...found, isReadable: true, name: found.record?.name ?? found.name };
}

/** The paths of all layers under a disk, nearest first; undefined when the disk can't be read. */
async function layersBelow(disk: string): Promise<string[] | undefined> {
  const layers: string[] = [];
  let path = disk;
  while (layers.length <= MOST_LAYERS) {
    let backingFile: string | undefined;
    try {
      ({ backingFile } = await readQcow2(path));
    } catch {
      if (layers.length === 0) return undefined;
      return layers; // the layer is lost; what is above still stands on it
    }
    if (backingFile === undefined) return layers;
    path = resolve(dirname(path), backingFile);
    layers.push(path);
  }
  return undefined; // too many, or a circle: what is at its end is not known
}

async function recordOf(path: string): Promise<StandingRecord | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path)) ?? undefined;
  } catch {
    return undefined; // broken or absent
  }
}
