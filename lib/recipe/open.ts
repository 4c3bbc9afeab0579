import { dirname, resolve } from "node:path";
import { NidoError } from "../errors.ts";
import { nearestName } from "../nearest_name.ts";
import { sha256 } from "../sha256.ts";
import { shippedRecipe, shippedRecipes } from "../shipped.ts";
import { readYaml } from "./read_yaml.ts";
import { type Recipe, recipeShape } from "./recipe.ts";

const MOST_BYTES = 4_194_304;

/** Opens a recipe that Nido brings, by its name, or one in a YAML file, by its path. */
export async function openRecipe(nameOrPath: string): Promise<Recipe> {
  if (/[/\\]|\.ya?ml$/.test(nameOrPath)) return await openFile(resolve(nameOrPath), nameOrPath);
  const text = await shippedRecipe(nameOrPath);
  if (text === undefined) throw unknownRecipe(nameOrPath);
  return await read(text, nameOrPath, nameOrPath);
}

async function openFile(path: string, named: string): Promise<Recipe> {
  const refuse = (code: "not_found" | "invalid_input", fact: string) =>
    new NidoError(code, `Cannot open the recipe ${named}: ${fact}`, { details: { path } });
  let text: string;
  try {
    const { isFile, size } = await Deno.stat(path);
    if (!isFile) throw refuse("invalid_input", "it is not a file");
    if (size > MOST_BYTES) throw refuse("invalid_input", `it has more than ${MOST_BYTES} bytes`);
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw refuse("not_found", "there is no such file");
    throw error;
  }
  const recipe = await read(text, path, named);
  return { ...recipe, folder: dirname(path) };
}

async function read(text: string, reference: string, named: string): Promise<Recipe> {
  const content = await readYaml(
    text,
    recipeShape,
    (fact, problems) =>
      new NidoError("invalid_input", `Cannot use the recipe ${named}: ${fact}`, {
        hint: "docs/recipes.md tells the fields of recipes",
        details: { recipe: reference, problems },
      }),
  );
  return { ...content, reference, digest: `sha256:${await sha256(text)}` };
}

function unknownRecipe(name: string): NidoError {
  const nearest = nearestName(name, shippedRecipes);
  return new NidoError(
    "not_found",
    `No recipe ${JSON.stringify(name)}` +
      (nearest ? `; the nearest is "${nearest}"` : `; there are ${shippedRecipes.join(", ")}`),
    { hint: `nido image build ${nearest ?? shippedRecipes[0]}`, details: { name, nearest } },
  );
}
