import { basename } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { buildPackages } from "../image/build_packages.ts";
import { imageName } from "../image/image.ts";
import { imageFields, showImage } from "../image/image_fields.ts";
import { field, operation } from "../operation.ts";
import { openRecipe } from "../recipe/open.ts";
import { mirrorAddress, type Recipe } from "../recipe/recipe.ts";
import { formatBytes } from "../units.ts";
import { buildCustomized } from "./customize.ts";

const input = z.strictObject({
  recipe: field("nameOrPath", z.string().min(1).max(4096)).describe(
    "A recipe that Nido brings, by its name, or the path of a YAML file",
  ),
  name: imageName.optional().describe("The image's name; default the recipe's"),
  mirror: mirrorAddress.optional().describe(
    "Debian archive to take packages from; default the recipe's, else this system's own",
  ),
  force: z.boolean().default(false).describe("Build anew, and replace an image that has the name"),
});

const output = z.strictObject({
  image: imageFields.describe("The image as it is stored now"),
  reused: z.boolean().describe("This recipe made it before, and nothing was built"),
  problems: z.array(z.string()).describe("What could not be cleaned, or went wrong otherwise"),
});

/** Builds an image on this host by a recipe of either kind. */
export async function build(
  context: Context,
  request: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const recipe = await openRecipe(request.recipe);
  const name = request.name ?? nameOf(recipe);
  const { image, reused, problems } = await buildOf(context, recipe, name, request);
  return { image: await showImage(context.home, image), reused, problems };
}

async function buildOf(
  context: Context,
  recipe: Recipe,
  name: string,
  { mirror, force }: z.output<typeof input>,
) {
  if (recipe.kind === "debian-packages") {
    const from = { ...recipe, mirror: mirror ?? recipe.mirror };
    return { ...await buildPackages(context, from, name, { force }), problems: [] };
  }
  if (mirror !== undefined) {
    throw new NidoError(
      "invalid_input",
      `Cannot build image "${name}": its recipe begins with another image, and takes no mirror`,
      { hint: `nido image build ${recipe.reference}` },
    );
  }
  return await buildCustomized(context, recipe, name, force);
}

function nameOf({ reference, folder }: Recipe): string {
  return folder === undefined ? reference : basename(reference).replace(/\.ya?ml$/, "");
}

export default operation({
  name: "image.build",
  summary: "Build an image on this host by a recipe",
  description:
    "Makes an image from Debian's packages, or from another image that is changed in a VM " +
    "which is thrown away. docs/recipes.md tells what recipes hold.",
  effect: "create",
  long: true,
  openWorld: true,
  surfaces: ["cli"],
  input,
  output,
  positional: ["recipe"],
  examples: [
    "nido image build debian-12 --name debian:12",
    "nido image build ./web.yaml --force",
  ],
  text: ({ image, reused, problems }) => {
    const sizes = `${formatBytes(image.virtualSizeBytes)}, ${formatBytes(image.diskBytes)} on disk`;
    return [
      `${reused ? "Already here" : "Built"}: image ${image.name} (${sizes})`,
      ...problems.map((problem) => `  note: ${problem}`),
      `  nido spawn --image ${image.name}`,
    ].join("\n");
  },
  run: build,
});
