import { dirname } from "node:path";
import { removeIfThere, syncFolder } from "./record.ts";

/**
 * Writes a file outside the home through a temporary one beside it: there is nothing at the path, or
 * all of it. Without `replace`, a file that is there by then makes it throw `AlreadyExists`.
 */
export async function writeOutside(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
  { replace }: { replace: boolean },
): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    {
      using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
      for await (const chunk of chunks) {
        for (let written = 0; written < chunk.length;) {
          written += await file.write(chunk.subarray(written));
        }
      }
      await file.sync();
    }
    if (replace) await Deno.rename(temporary, path);
    else await takeFreePlace(temporary, path);
    await syncFolder(dirname(path));
  } finally {
    await removeIfThere(temporary);
  }
}

/** A link, unlike a rename, never replaces what somebody put there a moment ago. */
async function takeFreePlace(temporary: string, path: string): Promise<void> {
  try {
    await Deno.link(temporary, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    await Deno.rename(temporary, path); // a file system without links, as on most USB sticks
  }
}
