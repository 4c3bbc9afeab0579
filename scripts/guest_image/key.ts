/** The image's name in the cache: what the recipe says, and a hash of it and of what follows it. */
import { join } from "node:path";
import type { PackagesRecipe } from "../../lib/recipe/recipe.ts";
import { sha256 } from "../../lib/sha256.ts";

const builder = new URL("../../lib/recipe/debian_packages", import.meta.url);

export async function recipeKey({ release, digest }: PackagesRecipe): Promise<string> {
  const folder = await Array.fromAsync(Deno.readDir(builder));
  const parts = folder.map(({ name }) => join(builder.pathname, name)).sort();
  const texts = await Promise.all(
    [`${builder.pathname}.ts`, ...parts].map((file) => Deno.readTextFile(file)),
  );
  return `debian-${release}-amd64-${(await sha256([digest, ...texts].join("\0"))).slice(0, 16)}`;
}
