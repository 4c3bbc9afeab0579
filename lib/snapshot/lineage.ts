import { join, resolve } from "node:path";
import { diskChain } from "../image/chain.ts";
import { files } from "../store/files.ts";
import type { Vm } from "../vm/vm.ts";
import type { Snapshot } from "./snapshot.ts";

/** What a VM and its snapshots went on from. */
export interface Lineage {
  /** The snapshot that the VM goes on from. */
  current?: string;
  /** The label of each snapshot's parent, by its own label. */
  parents: Map<string, string>;
}

/**
 * Tells what went on from what: the nearest layer below a disk that is a snapshot's. It is written
 * nowhere, so that no deletion can make it untrue.
 */
export async function lineage(home: string, vm: Vm, snapshots: Snapshot[]): Promise<Lineage> {
  const owners = new Map(
    snapshots.flatMap(({ label, record }) =>
      record ? [[resolve(files.layer(home, record.layer)), label]] : []
    ),
  );
  const nearest = async (disk: string): Promise<string | undefined> => {
    const chain = await diskChain(home, disk).catch(() => []); // a layer of it is lost
    return chain.slice(1).map((layer) => owners.get(resolve(layer))).find((label) => label);
  };
  const parents = new Map<string, string>();
  for (const [layer, label] of owners) {
    const parent = await nearest(layer);
    if (parent) parents.set(label, parent);
  }
  return {
    current: vm.record && await nearest(join(vm.folder, vm.record.disk)),
    parents,
  };
}
