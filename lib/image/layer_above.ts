import { emptyOverlay } from "../qemu/overlay.ts";
import { readQcow2 } from "./qcow2.ts";

/** The bytes of an empty layer above a disk, as large as that one looks to a guest. */
export async function layerAbove(
  path: string,
  clusterBytes?: number,
): Promise<Uint8Array> {
  const { virtualSizeBytes } = await readQcow2(path);
  return emptyOverlay(path, virtualSizeBytes, clusterBytes);
}
