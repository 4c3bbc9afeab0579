import { z } from "zod";
import { catalog } from "../lib/catalog/catalog.ts";
import { recipeShape } from "../lib/recipe/recipe.ts";
import { sources } from "../registry/builder/source.ts";

/** Where editors find the shapes of the registry's files. */
export const REGISTRY_SCHEMAS = "registry/schema";

/** The shapes of the files that people and programs write, by the file that keeps each. */
const shapes: Record<string, { title: string; schema: z.ZodType }> = {
  "catalog.json": { title: "Nido's catalog of images", schema: catalog },
  "sources.json": { title: "The sources of Nido's catalog", schema: sources },
  "recipe.json": { title: "A recipe of an image", schema: recipeShape },
};

/** Each schema as it is kept, by its file. */
export function registrySchemas(): Map<string, string> {
  return new Map(
    Object.entries(shapes).map(([file, { title, schema }]) => {
      const shape = { title, ...z.toJSONSchema(schema, { io: "input", reused: "ref" }) };
      return [file, JSON.stringify(shape, null, 2) + "\n"];
    }),
  );
}

if (import.meta.main) {
  for (const [file, text] of registrySchemas()) {
    await Deno.writeTextFile(`${REGISTRY_SCHEMAS}/${file}`, text);
  }
}
