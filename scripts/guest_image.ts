/**
 * Builds the Debian 12 image of `registry/recipes/debian-12.yaml`, and keeps it in a cache.
 *
 *     deno run -A scripts/guest_image.ts [--output FILE] [--mirror URL] [--cache DIR] [--print-key]
 *
 * Progress goes to stderr, one line at a time; the finished image's path is all of stdout.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { dirname, join, resolve } from "node:path";
import { makeContext } from "../lib/context.ts";
import { NidoError } from "../lib/errors.ts";
import { run } from "../lib/host/process.ts";
import { buildFromPackages } from "../lib/recipe/debian_packages.ts";
import { openRecipe } from "../lib/recipe/open.ts";
import type { PackagesRecipe } from "../lib/recipe/recipe.ts";
import { type ImageCache, openImageCache } from "./guest_image/cache.ts";
import { recipeKey } from "./guest_image/key.ts";

interface Options {
  output: string | undefined;
  mirror: string | undefined;
  cache: string;
  printKey: boolean;
}

function parseOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      output: { type: "string" },
      mirror: { type: "string" },
      cache: { type: "string" },
      "print-key": { type: "boolean", default: false },
    },
  });
  return {
    output: values.output,
    mirror: values.mirror,
    cache: resolve(values.cache ?? defaultCacheFolder()),
    printKey: values["print-key"],
  };
}

function defaultCacheFolder(): string {
  const cacheHome = Deno.env.get("XDG_CACHE_HOME") ||
    join(Deno.env.get("HOME") ?? "/root", ".cache");
  return join(cacheHome, "nido-guest-image");
}

function report(line: string): void {
  console.error(`guest image: ${line}`);
}

async function theRecipe(): Promise<PackagesRecipe> {
  const recipe = await openRecipe("debian-12");
  if (recipe.kind !== "debian-packages") {
    throw new TypeError("debian-12 is no such recipe any more");
  }
  return recipe;
}

async function cachedImage(
  cache: ImageCache,
  recipe: PackagesRecipe,
  mirror = recipe.mirror,
): Promise<string> {
  return await cache.imageOf(await recipeKey(recipe), async (staging) => {
    const startedAt = Date.now();
    let told = "";
    const context = makeContext(staging, {
      report: ({ message }) => {
        if (message !== told) report(told = message);
      },
    });
    const image = await buildFromPackages(context, { ...recipe, mirror }, staging);
    await Deno.chmod(image, 0o444);
    report(`built in ${Math.round((Date.now() - startedAt) / 1000)} s`);
    return image;
  }, report);
}

/** Puts a copy at `output` by rename, sharing blocks with the cache where the file system can. */
async function copyImage(image: string, output: string): Promise<string> {
  const target = resolve(output);
  const partial = `${target}.${Deno.pid}.partial`;
  await Deno.mkdir(dirname(target), { recursive: true });
  try {
    await run("cp", ["--reflink=auto", "--", image, partial]);
    await Deno.rename(partial, target);
  } finally {
    await Deno.remove(partial).catch(() => {});
  }
  return target;
}

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  const recipe = await theRecipe();
  if (options.printKey) return console.log(await recipeKey(recipe));
  const image = await cachedImage(await openImageCache(options.cache), recipe, options.mirror);
  console.log(options.output === undefined ? image : await copyImage(image, options.output));
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    if (error instanceof NidoError) {
      report(error.hint === undefined ? error.message : `${error.message}; try: ${error.hint}`);
    } else {
      const expected = error instanceof TypeError;
      report(expected ? error.message : String(error instanceof Error ? error.stack : error));
    }
    Deno.exit(1);
  }
}
