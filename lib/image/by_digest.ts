import { files } from "../store/files.ts";
import { type Image, listImages } from "./image.ts";
import { storedDisk } from "./store_disk.ts";

/** The image that a digest means: by a name that means it now, or by what its disk knows of itself. */
export async function findByDigest(home: string, digest: string): Promise<Image | undefined> {
  const listed = await listImages(home);
  const named = listed.find(({ image }) => image?.digest === digest)?.image;
  if (named) return named;
  const disk = await storedDisk(home, digest);
  if (!disk?.facts) return undefined;
  const diskPath = files.diskImage(home, digest);
  return { ...disk.facts, digest, importedAt: disk.storedAt, diskPath, disk };
}
