/**
 * The data files that Nido brings with it, found the same way from source, a bundle, a package and a
 * binary: they are parts of the program.
 */

/** The text of the catalog of images. */
export async function shippedCatalog(): Promise<string> {
  return (await import("../registry/images.json", { with: { type: "text" } })).default;
}

const recipes: Record<string, () => Promise<{ default: string }>> = {
  "debian-12": () => import("../registry/recipes/debian-12.yaml", { with: { type: "text" } }),
  "debian-12-dev": () =>
    import("../registry/recipes/debian-12-dev.yaml", { with: { type: "text" } }),
};

/** The names of the recipes. */
export const shippedRecipes: string[] = Object.keys(recipes);

/** The text of a recipe; undefined where there is none of this name. */
export async function shippedRecipe(name: string): Promise<string | undefined> {
  const load = Object.hasOwn(recipes, name) ? recipes[name] : undefined;
  return (await load?.())?.default;
}
