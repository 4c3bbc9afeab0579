import { files } from "../store/files.ts";
import { type Image, listImages } from "./image.ts";
import { storedDisk } from "./store_disk.ts";

/**
 * The image of one of these names that a digest means: by the name, where it means it now, or by what
 * the disk knows of itself.
 */
export async function findByDigest(
  home: string,
  digest: string,
  names: string[],
): Promise<Image | undefined> {
  const listed = await listImages(home);
  const named = listed.find(({ name, image }) => names.includes(name) && image?.digest === digest);
  if (named?.image) return named.image;
  const disk = await storedDisk(home, digest);
  if (!disk?.facts || !names.includes(disk.facts.name)) return undefined;
  const diskPath = files.diskImage(home, digest);
  return { ...disk.facts, digest, importedAt: disk.storedAt, diskPath, disk };
}
