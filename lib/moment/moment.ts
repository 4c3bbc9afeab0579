import { join } from "node:path";
import type { Context } from "../context.ts";
import { files } from "../store/files.ts";
import { withStaging } from "../store/staging.ts";

/** Removes moments; one that is gone already is fine. The caller knows that nothing stands on them. */
export async function removeMoments(context: Context, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await withStaging(context, async (folder) => {
    for (const id of ids) {
      await Deno.rename(files.moment(context.home, id), join(folder, id)).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    }
  });
}
