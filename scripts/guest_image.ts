/**
 * Builds a Debian 12 cloud-style disk image from Debian's packages, and keeps it in a cache.
 *
 *     deno run -A scripts/guest_image.ts [--output FILE] [--mirror URL] [--cache DIR] [--print-key]
 *
 * Progress goes to stderr, one line at a time; the finished image's path is all of stdout.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { dirname, join, resolve } from "node:path";
import { type ImageCache, openImageCache } from "./guest_image/cache.ts";
import { buildDisk } from "./guest_image/disk.ts";
import { aptMirror, givenMirror } from "./guest_image/mirror.ts";
import { BuildError, requirePrograms } from "./guest_image/programs.ts";
import { recipeKey } from "./guest_image/recipe.ts";
import { buildRootFileSystem } from "./guest_image/root_file_system.ts";

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

async function cachedImage(cache: ImageCache, key: string, mirrorUrl?: string): Promise<string> {
  return await cache.imageOf(key, async (staging) => {
    const startedAt = Date.now();
    await requirePrograms();
    const mirror = mirrorUrl === undefined ? await aptMirror() : givenMirror(mirrorUrl);
    const root = await buildRootFileSystem({ staging, mirror, report });
    const image = await buildDisk({ staging, root, report });
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
    const copy = new Deno.Command("cp", { args: ["--reflink=auto", "--", image, partial] });
    const { success, stderr } = await copy.output();
    if (!success) throw new BuildError(new TextDecoder().decode(stderr).trim());
    await Deno.rename(partial, target);
  } finally {
    await Deno.remove(partial).catch(() => {});
  }
  return target;
}

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  const key = await recipeKey();
  if (options.printKey) return console.log(key);
  const image = await cachedImage(await openImageCache(options.cache), key, options.mirror);
  console.log(options.output === undefined ? image : await copyImage(image, options.output));
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    const expected = error instanceof BuildError || error instanceof TypeError;
    report(expected ? error.message : String(error instanceof Error ? error.stack : error));
    Deno.exit(1);
  }
}
