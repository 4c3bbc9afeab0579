import { join } from "node:path";
import type { Context } from "../context.ts";
import { files } from "../store/files.ts";
import { isThere } from "../store/is_there.ts";
import { syncFolder } from "../store/record.ts";
import { withStaging } from "../store/staging.ts";

/**
 * Puts a whole folder in a template's place. What was there steps aside first, to where it can be
 * found: killed between the two renames, the next look puts it back. The caller holds the
 * template's lock.
 */
export async function placeTemplate(context: Context, built: string, name: string): Promise<void> {
  const { home } = context;
  const [place, aside] = [files.template(home, name), files.replacedTemplate(home, name)];
  await settleReplacement(home, name);
  await discardTemplate(context, aside);
  if (await isThere(place)) await Deno.rename(place, aside);
  await Deno.rename(built, place);
  await syncFolder(files.templates(home));
  await discardTemplate(context, aside);
}

/** Undoes a replacement that was killed in the middle. The caller holds the template's lock. */
export async function settleReplacement(home: string, name: string): Promise<void> {
  const [place, aside] = [files.template(home, name), files.replacedTemplate(home, name)];
  if (await isThere(place) || !await isThere(aside)) return;
  await Deno.rename(aside, place);
  await syncFolder(files.templates(home));
}

/** Removes a template's folder, in one step for everybody who looks; an absent one is fine. */
export async function discardTemplate(context: Context, folder: string): Promise<void> {
  if (!await isThere(folder)) return;
  await withStaging(context, (staging) => Deno.rename(folder, join(staging, "removed")));
}
