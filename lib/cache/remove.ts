import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { diskLock, imageLock } from "../image/image.ts";
import { forgetImage } from "../image/remove.ts";
import { removeUnusedDisk } from "../image/unused_disks.ts";
import { inUse } from "../image/users.ts";
import { operation } from "../operation.ts";
import { takeLock } from "../store/lock.ts";
import { openCached } from "./cache.ts";
import { digestInput } from "./info.ts";

/**
 * Removes a stored disk on which nothing stands, and all its names with it; refused, with nothing gone,
 * unless these are its names. Gives the bytes it freed.
 */
export async function removeCached(
  context: Context,
  digest: string,
  names: string[] = [],
): Promise<number> {
  const { home } = context;
  const doing = `remove stored disk ${digest.slice(0, 19)}`;
  using locks = new DisposableStack();
  // In one order, so that two who take several don't wait for each other.
  for (const name of names.toSorted()) {
    locks.use(await takeLock(context, { what: imageLock(name), doing }));
  }
  locks.use(await takeLock(context, { what: diskLock(digest), doing }));
  const { images, usedBy, unreadable } = await openCached(home, digest);
  if (usedBy.length > 0) throw inUse(doing, usedBy);
  const others = images.filter((name) => !names.includes(name));
  if (others.length > 0) {
    throw new NidoError("in_use", `Cannot ${doing}: it is image ${others.join(", ")}`, {
      hint: `nido image remove ${others[0]}`,
      details: { images: others },
    });
  }
  const lost = names.find((name) => !images.includes(name));
  if (lost !== undefined) {
    throw new NidoError("not_found", `Cannot ${doing}: image "${lost}" is not it any more`, {
      hint: "nido cache list",
      details: { images },
    });
  }
  if (unreadable.length > 0) {
    const fact = `image "${unreadable[0]}" can't be read, and may be it`;
    throw new NidoError("in_use", `Cannot ${doing}: ${fact}`, {
      hint: `nido image remove ${unreadable[0]}`,
      details: { images: unreadable },
    });
  }
  for (const name of names) await forgetImage(home, name);
  return await removeUnusedDisk(context, digest);
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
  run: async (context, { digest: wanted }) => {
    const { digest } = await openCached(context.home, wanted);
    return { digest, freedBytes: await removeCached(context, digest) };
  },
});
