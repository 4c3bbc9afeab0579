import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import type { PackagesRecipe, Recipe } from "../recipe/recipe.ts";
import { type BuiltImage, storeBuilt } from "./built.ts";
import type { Image } from "./image.ts";
import { refuser } from "./refuse.ts";
import { needSpace } from "./space_guard.ts";

// The packages unpacked, and the disk that they are written to, before it is compressed.
const LEAST_BYTES = 1.5 * 2 ** 30;

/** How an image is built. */
export interface BuildOptions {
  /** The login user that VMs get; default nido. */
  user?: string;
  /** Build anew, and replace whatever image has the name. */
  force?: boolean;
}

/** Builds an image from Debian's packages; one that the recipe gave before is found. */
export async function buildImage(
  context: Context,
  recipe: Recipe,
  name: string,
  options: BuildOptions = {},
): Promise<Image> {
  if (recipe.kind !== "debian-packages") {
    throw new NidoError(
      "invalid_input",
      `Cannot build image "${name}": the recipe ${recipe.reference} begins with another image`,
      { hint: `nido image build ${recipe.reference} --name ${name}` },
    );
  }
  return (await buildPackages(context, recipe, name, options)).image;
}

/** Builds an image from Debian's packages, and tells whether it was there already. */
export async function buildPackages(
  context: Context,
  recipe: PackagesRecipe,
  name: string,
  { user = "nido", force = false }: BuildOptions = {},
): Promise<BuiltImage> {
  return await storeBuilt(context, { recipe, name, force }, async (folder) => {
    await needSpace(context.home, LEAST_BYTES, refuser(`build image "${name}"`));
    const { buildFromPackages } = await import("../recipe/debian_packages.ts");
    return {
      disk: await buildFromPackages(context, recipe, folder),
      user,
      architecture: "x86_64",
      firmware: "bios",
      description: recipe.description,
    };
  });
}
