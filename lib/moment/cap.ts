import { join } from "node:path";
import { readConfig } from "../config/config.ts";
import type { Context } from "../context.ts";
import { diskUseBytes } from "../image/unused_disks.ts";
import { momentFiles } from "../store/files.ts";
import { freeMemory, listMoments, type Moment } from "./moment.ts";

const CAP_GIB = 20;

/** Frees the memory of the least used warm bases while all of them take more than is allowed. */
export async function capMemory(context: Context, newest: Moment): Promise<void> {
  const { warmDiskGib = CAP_GIB } = await readConfig(context);
  const warm = (await listMoments(context.home)).filter(({ record }) =>
    !record.failure && !record.freedAt
  );
  const sized = await Promise.all(warm.map(async (moment) => ({
    moment,
    bytes: await memoryBytes(moment),
    usedAt: await usedAt(moment),
  })));
  let bytes = sized.reduce((sum, one) => sum + one.bytes, 0);
  for (const one of sized.sort((a, b) => a.usedAt - b.usedAt)) {
    if (bytes <= warmDiskGib * 2 ** 30) return;
    if (one.moment.id === newest.id) continue;
    await freeMemory(one.moment, { freedAt: context.now().toISOString() });
    bytes -= one.bytes;
  }
}

/** What a moment's memory and state take on the disk. */
export async function memoryBytes({ folder }: Moment): Promise<number> {
  const kept = [momentFiles.ram, momentFiles.state].map((file) => join(folder, file));
  const [ram, state] = await Promise.all(kept.map(diskUseBytes));
  return ram! + state!;
}

/** When a VM last woke from a moment, or else it was frozen. */
export async function usedAt({ folder, record }: Moment): Promise<number> {
  const used = await Deno.stat(join(folder, momentFiles.used)).catch(() => undefined);
  return used?.mtime?.getTime() ?? Date.parse(record.createdAt);
}
