import { join } from "node:path";
import type { Context } from "../context.ts";
import type { Platform } from "../host/platform.ts";
import { flatten } from "../qemu/image_tool.ts";
import { makeDisk } from "./debian_packages/disk.ts";
import { openWorkshop } from "./debian_packages/programs.ts";
import { makeRootArchive } from "./debian_packages/root_archive.ts";
import type { PackagesRecipe } from "./recipe.ts";

/**
 * Makes a disk image from Debian's packages, for x86_64 guests that boot by BIOS; gives the path of a
 * qcow2 in the folder. It takes a Debian-like host and no more rights than the caller has.
 */
export async function buildFromPackages(
  context: Context,
  recipe: PackagesRecipe,
  folder: string,
  host?: Platform,
): Promise<string> {
  const doing = `build from the recipe ${recipe.reference}`;
  const workshop = await openWorkshop(context, doing, host);
  const archive = await makeRootArchive(workshop, recipe, folder, doing);
  const raw = await makeDisk(workshop, archive, recipe.diskGib, folder);
  const image = join(folder, "image.qcow2");
  await flatten(context, raw, image, { compress: true, format: "raw" });
  await Deno.remove(raw);
  return image;
}
