import { z } from "zod";
import type { Context } from "../context.ts";
import { partialDownloads, removePartial } from "../download/download.ts";
import { toNidoError } from "../errors.ts";
import { operation } from "../operation.ts";
import { sweepStaging } from "../store/staging.ts";
import { formatBytes } from "../units.ts";
import { type Cached, cachedDisks } from "./cache.ts";
import { removeCached } from "./remove.ts";

const input = z.strictObject({
  olderThanHours: z.number().min(0).max(876_000).optional().describe(
    "Only what was stored longer ago than this many hours; then pulled images go too, which can be " +
      "pulled again",
  ),
  keep: z.int().min(0).max(1000).default(0).describe(
    "Keep so many of the newest states of each image",
  ),
  dryRun: z.boolean().default(false).describe("Remove nothing, only tell what would go"),
});

const output = z.strictObject({
  removed: z.array(z.string()).describe("Stored disks and downloads that are gone"),
  wouldRemove: z.array(z.string()).describe("What would go, on a dry run"),
  freedBytes: z.number().describe("What that took, or would free, in bytes"),
});

/** Removes stored disks that nothing needs; those that were imported or built here stay while named. */
async function prune(
  context: Context,
  { olderThanHours, keep, dryRun }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  await sweepStaging(context.home);
  const oldest = context.now().getTime() - (olderThanHours ?? 0) * 3_600_000;
  const isOld = (time?: string) => time === undefined || Date.parse(time) <= oldest;
  const disks = (await cachedDisks(context.home)).toSorted(newestFirst);
  const kept = (disk: Cached) =>
    disk.families.some((name) =>
      disks.filter(({ families }) => families.includes(name)).indexOf(disk) < keep
    );
  const goners = disks.filter((disk) =>
    disk.usedBy.length === 0 && disk.unreadable.length === 0 && isOld(disk.storedAt) &&
    !kept(disk) &&
    (disk.images.length === 0 || (olderThanHours !== undefined && disk.isPulled))
  );
  const downloads = (await partialDownloads(context.home)).filter(({ busy, modifiedAt }) =>
    !busy && isOld(modifiedAt)
  );
  const total = (sizes: number[]) => sizes.reduce((sum, bytes) => sum + bytes, 0);
  if (dryRun) {
    return {
      removed: [],
      wouldRemove: [...goners.map(({ digest }) => digest), ...downloads.map(({ key }) => key)],
      freedBytes: total([
        ...goners.map(({ diskBytes }) => diskBytes),
        ...downloads.map(({ sizeBytes }) => sizeBytes),
      ]),
    };
  }
  const removed: string[] = [];
  let freedBytes = 0;
  for (const disk of goners) {
    const freed = await unlessNeeded(() => removeCached(context, disk.digest, disk.images));
    if (freed === undefined) continue;
    removed.push(disk.digest);
    freedBytes += freed;
  }
  for (const { key } of downloads) {
    const freed = await unlessNeeded(() => removePartial(context, key));
    if (freed === undefined) continue;
    removed.push(key);
    freedBytes += freed;
  }
  return { removed, wouldRemove: [], freedBytes };
}

function newestFirst(one: Cached, other: Cached): number {
  return (other.storedAt ?? "") < (one.storedAt ?? "") ? -1 : 1;
}

/** What somebody began to use since it was looked at stays. */
async function unlessNeeded<T>(remove: () => Promise<T>): Promise<T | undefined> {
  try {
    return await remove();
  } catch (error) {
    if (["busy", "in_use", "not_found"].includes(toNidoError(error).code)) return undefined;
    throw error;
  }
}

export default operation({
  name: "cache.prune",
  summary: "Remove stored disks that nothing needs",
  description: "Removes superseded states of images on which nothing stands, and unfinished " +
    "downloads. With an age, pulled images that are not in use go too.",
  effect: "destroy",
  input,
  output,
  examples: ["nido cache prune --dry-run", "nido cache prune --older-than 30d --keep 1"],
  text: ({ removed, wouldRemove, freedBytes }) => {
    const bytes = formatBytes(freedBytes);
    if (removed.length) return `Removed ${removed.join(", ")} (${bytes})`;
    if (wouldRemove.length) return `Would remove ${wouldRemove.join(", ")} (${bytes})`;
    return "Nothing to remove";
  },
  run: prune,
});
