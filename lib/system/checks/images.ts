import type { Context } from "../../context.ts";
import { formatBytes } from "../../units.ts";
import { diskLock, listImages } from "../../image/image.ts";
import { removeUnusedDisk, unusedDisks } from "../../image/unused_disks.ts";
import { withLock } from "../../store/lock.ts";
import type { Check, Finding } from "./check.ts";

/** Images whose disk or record is damaged. */
export const images: Check = {
  name: "images",
  run: async ({ context }) => {
    const all = await listImages(context.home);
    const broken = all.filter(({ state }) => state === "broken");
    if (broken.length === 0) {
      const message = all.length === 1 ? "1 image is sound" : `${all.length} images are sound`;
      return [{ name: "images", state: "ok", message }];
    }
    return broken.map(({ name, problems }): Finding => ({
      name: "images",
      state: "warning",
      message: `Image "${name}" is broken: ${problems.join("; ")}`,
      fix: `nido image remove ${name}`,
    }));
  },
};

/** Stored disks that nothing stands on. */
export const disks: Check = {
  name: "disks",
  run: async ({ context, fix }) => {
    const unused = await unusedDisks(context.home);
    if (unused.length === 0) {
      return [{ name: "disks", state: "ok", message: "Every stored disk is in use" }];
    }
    const what = unused.length === 1 ? "1 stored disk" : `${unused.length} stored disks`;
    if (fix) {
      const freed = await removeAll(context, unused);
      const message = `Removed ${what} that nothing used: ${formatBytes(freed)} freed`;
      return [{ name: "disks", state: "ok", message, fixed: true }];
    }
    const message = `Nothing uses ${what}`;
    return [{ name: "disks", state: "warning", message, fix: "nido doctor --fix" }];
  },
};

async function removeAll(context: Context, digests: string[]): Promise<number> {
  let freed = 0;
  for (const digest of digests) {
    const request = { what: diskLock(digest), doing: "remove an unused disk" };
    freed += await withLock(context, request, () => removeUnusedDisk(context, digest));
  }
  return freed;
}
