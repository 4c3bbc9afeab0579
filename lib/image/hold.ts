import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { type Lock, takeLock } from "../store/lock.ts";
import { diskLock, type Image } from "./image.ts";

const QUEUE_MS = 120_000; // many spawns may stand in line for one image

/**
 * Holds an image's disk in place while something is made that stands on it. The image may have been
 * removed since it was resolved; then this throws.
 */
export async function holdDisk(context: Context, image: Image, doing: string): Promise<Lock> {
  const lock = await takeLock(context, {
    what: diskLock(image.digest),
    doing,
    patienceMs: QUEUE_MS,
  });
  try {
    await Deno.stat(image.diskPath);
    return lock;
  } catch (cause) {
    lock[Symbol.dispose]();
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new NidoError(
      "not_found",
      `Cannot ${doing}: image "${image.name}" was removed or replaced`,
      {
        hint: "nido images",
        cause,
      },
    );
  }
}
