import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { diskLock } from "../image/image.ts";
import { namesOfDisk, removeUnusedDisk } from "../image/unused_disks.ts";
import { inUse } from "../image/users.ts";
import { operation } from "../operation.ts";
import { withLock } from "../store/lock.ts";
import { openCached } from "./cache.ts";
import { digestInput } from "./info.ts";

/** Removes a stored disk that no image means and nothing stands on; gives the bytes it freed. */
export async function removeCached(context: Context, wanted: string): Promise<{
  digest: string;
  freedBytes: number;
}> {
  const { digest } = await openCached(context.home, wanted);
  const doing = `remove stored disk ${digest.slice(0, 19)}`;
  return await withLock(context, { what: diskLock(digest), doing }, async () => {
    const { images, usedBy } = await openCached(context.home, digest);
    if (usedBy.length > 0) throw inUse(doing, usedBy);
    if (images.length > 0) {
      throw new NidoError("in_use", `Cannot ${doing}: it is image ${images.join(", ")}`, {
        hint: `nido image remove ${images[0]}`,
        details: { images },
      });
    }
    const [unreadable] = await namesOfDisk(context.home, digest);
    if (unreadable !== undefined) {
      const fact = `image "${unreadable}" can't be read, and may be it`;
      throw new NidoError("in_use", `Cannot ${doing}: ${fact}`, {
        hint: `nido image remove ${unreadable}`,
        details: { images: [unreadable] },
      });
    }
    return { digest, freedBytes: await removeUnusedDisk(context, digest) };
  });
}

export default operation({
  name: "cache.remove",
  summary: "Remove a stored disk that no image means any more",
  effect: "destroy",
  input: z.strictObject({ digest: digestInput.describe("Its digest, or the beginning of it") }),
  output: z.strictObject({
    digest: z.string().describe("What is gone"),
    freedBytes: z.number().describe("What it took on this host, in bytes"),
  }),
  positional: ["digest"],
  examples: ["nido cache remove sha256:0123456789ab"],
  text: ({ digest }) => `Removed ${digest}`,
  run: async (context, { digest }) => await removeCached(context, digest),
});
