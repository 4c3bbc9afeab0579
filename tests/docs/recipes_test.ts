import assert from "node:assert/strict";
import { join } from "node:path";
import { openRecipe } from "../../lib/recipe/open.ts";
import { recipeShape } from "../../lib/recipe/recipe.ts";
import { page } from "./markdown.ts";

Deno.test("the recipes that docs/recipes.md shows can be used", async () => {
  const { text } = await page("docs/recipes.md");
  const shown = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, recipe]) => recipe!);
  const folder = await Deno.makeTempDir({ prefix: "nido-recipes-" });
  const kinds = await Promise.all(shown.map(async (recipe, index) => {
    const path = join(folder, `${index}.yaml`);
    await Deno.writeTextFile(path, recipe);
    return (await openRecipe(path)).kind;
  }));
  assert.deepEqual(kinds, recipeShape.options.map(({ shape }) => shape.kind.value));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("docs/recipes.md tells every field of a recipe, in two tables", async () => {
  const { text } = await page("docs/recipes.md");
  const tables = text.split("\n\n").filter((part) => part.startsWith("| Field"));
  const told = tables.map((table) =>
    table.split("\n").slice(2).map((row) => row.split("`")[1]).sort()
  );
  assert.deepEqual(told, recipeShape.options.map(({ shape }) => Object.keys(shape).sort()));
});
