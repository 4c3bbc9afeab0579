import { dirname, resolve } from "node:path";
import { NidoError } from "../errors.ts";
import { isInside } from "../store/same_file.ts";
import { readQcow2 } from "./qcow2.ts";

/** How many files a disk may be made of. */
export const MOST_LAYERS = 64;

/** The paths of a disk's layers, top first; every lower one must lie in the home. */
export async function diskChain(home: string, disk: string): Promise<string[]> {
  const chain = [disk];
  for (let path = disk; chain.length <= MOST_LAYERS;) {
    const { backingFile } = await readQcow2(path);
    if (backingFile === undefined) return chain;
    path = resolve(dirname(path), backingFile);
    if (!await isInside(home, path)) {
      throw new NidoError("integrity", `Cannot use the disk ${disk}: it stands on ${path}`, {
        details: { disk, layer: path },
      });
    }
    chain.push(path);
  }
  throw new NidoError(
    "exhausted",
    `Cannot use the disk ${disk}: it stands on more than ${MOST_LAYERS} layers`,
    { details: { disk } },
  );
}
