import { files } from "../store/files.ts";
import { type Image, listImages } from "./image.ts";
import { storedDisk } from "./store_disk.ts";

/**
 * The image that a digest means, if it has a name that may be meant: by the name, where it means it now,
 * or by what the disk knows of itself.
 */
export async function findByDigest(
  home: string,
  digest: string,
  isMeant: (name: string) => boolean,
): Promise<Image | undefined> {
  const listed = await listImages(home);
  const named = listed.find(({ name, image }) => isMeant(name) && image?.digest === digest);
  if (named?.image) return named.image;
  const disk = await storedDisk(home, digest);
  if (!disk?.facts || !isMeant(disk.facts.name)) return undefined;
  const diskPath = files.diskImage(home, digest);
  return { ...disk.facts, digest, importedAt: disk.storedAt, diskPath, disk };
}
