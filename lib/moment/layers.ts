import { basename, join } from "node:path";
import type { Context } from "../context.ts";
import { diskChain } from "../image/chain.ts";
import { standings } from "../image/standing.ts";
import { snapshotLayers } from "../snapshot/snapshot.ts";
import { files } from "../store/files.ts";
import { type LockRequest, withLock } from "../store/lock.ts";
import { namesIn, removeIfThere } from "../store/record.ts";

/** The lock under which layers are frozen and swept: one without users is being made, or is garbage. */
export function layersLock(doing: string): LockRequest {
  return { what: "layers", doing };
}

/** Removes the frozen layers that nothing stands on; none while it can't be known what stands where. */
export async function sweepLayers(context: Context): Promise<void> {
  const { home } = context;
  if ((await namesIn(files.layers(home))).length === 0) return;
  await withLock(context, layersLock("sweep frozen layers"), async () => {
    const used = await usedLayers(home);
    if (!used) return;
    for (const name of await namesIn(files.layers(home))) {
      if (!used.has(name)) await removeIfThere(join(files.layers(home), name));
    }
  });
}

/** The file names of all layers that are stood on; they are unique, by whatever path one is reached. */
async function usedLayers(home: string): Promise<Set<string> | undefined> {
  const { vms, moments } = await standings(home);
  const snapshots = await snapshotLayers(home);
  if (!snapshots || vms.some(({ isReadable }) => !isReadable)) return undefined;
  const used = [...vms, ...moments].flatMap(({ layers }) => layers);
  for (const layer of snapshots) {
    const chain = await diskChain(home, layer).catch(() => undefined); // a layer of it is lost
    if (!chain) return undefined;
    used.push(...chain);
  }
  return new Set(used.map((path) => basename(path)));
}
