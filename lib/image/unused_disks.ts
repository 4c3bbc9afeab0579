import { join } from "node:path";
import type { Context } from "../context.ts";
import { removeMoments } from "../moment/moment.ts";
import { files } from "../store/files.ts";
import { namesIn, readRecord } from "../store/record.ts";
import { withStaging } from "../store/staging.ts";
import { imageNames, imageRecord } from "./image.ts";
import { diskUsers, imageDisk, momentsOn } from "./users.ts";

/** The names of the images that mean a stored disk. */
export async function namesOfDisk(home: string, digest: string): Promise<string[]> {
  const named: string[] = [];
  for (const name of await imageNames(home)) {
    try {
      const record = await readRecord(files.image(home, name), imageRecord);
      if (record?.digest === digest) named.push(name);
    } catch {
      named.push(name); // unreadable: it may mean this disk
    }
  }
  return named;
}

/**
 * Removes a stored disk that no image names and no VM stands on, and the warm states made of it;
 * gives the bytes it freed. The caller holds the disk's lock.
 */
export async function removeUnusedDisk(context: Context, digest: string): Promise<number> {
  const { home } = context;
  if ((await namesOfDisk(home, digest)).length > 0) return 0;
  if ((await diskUsers(home, digest)).length > 0) return 0;
  const warm = await momentsOn(home, imageDisk(home, digest));
  await removeMoments(context, warm.map(({ id }) => id));
  const freed = await diskUseBytes(files.diskImage(home, digest));
  // Renamed away first: a kill in the middle of a removal leaves no half of a disk.
  await withStaging(context, async (folder) => {
    try {
      await Deno.rename(files.disk(home, digest), join(folder, "removed"));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  });
  return freed;
}

/** The digests of stored disks that no image names and no VM stands on (a doctor may ask). */
export async function unusedDisks(home: string): Promise<string[]> {
  const unused: string[] = [];
  for (const folder of await namesIn(files.disks(home))) {
    const digest = folder.replace("-", ":");
    if ((await namesOfDisk(home, digest)).length > 0) continue;
    if ((await diskUsers(home, digest)).length === 0) unused.push(digest);
  }
  return unused;
}

/** What a file really takes on the disk; 0 when it is absent. */
export async function diskUseBytes(path: string): Promise<number> {
  try {
    const { blocks, size } = await Deno.stat(path);
    return blocks === null ? size : blocks * 512;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}
