/**
 * Looks at every address of the catalog; with `--boot`, boots images as `nido spawn` does and logs in.
 * Names such as `debian` or `debian:12` choose some. Ends with 1 when something is wrong.
 *
 *     deno task registry:check [--boot] [NAME[:VERSION]...]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Catalog, catalog } from "../lib/catalog/catalog.ts";
import { checkAddresses } from "../registry/builder/check.ts";
import { webHead } from "../registry/builder/fetch.ts";

const HOST = Deno.build.arch;

/** Those images and versions of a catalog that some names choose; no names choose all. */
export function chosen(all: Catalog, names: string[]): Catalog {
  const wanted = (image: string, version: string) =>
    names.length === 0 || names.includes(image) || names.includes(`${image}:${version}`);
  const images = all.images
    .map((image) => ({
      ...image,
      versions: image.versions.filter(({ version }) => wanted(image.name, version)),
    }))
    .filter(({ versions }) => versions.length > 0);
  return { ...all, images };
}

/** Boots one image in a VM of its own, logs in, and gives what stopped it. */
async function boot(reference: string): Promise<string | undefined> {
  const vm = `check-${crypto.randomUUID().slice(0, 8)}`;
  try {
    return await nido("spawn", vm, "--image", reference) ??
      await nido("exec", vm, "--", "true");
  } finally {
    await nido("delete", vm, "--force");
  }
}

async function nido(...words: string[]): Promise<string | undefined> {
  const main = new URL("../main.ts", import.meta.url).href;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, ...words],
    stdout: "null",
  }).output();
  return code === 0 ? undefined : new TextDecoder().decode(stderr).trim();
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    options: { boot: { type: "boolean", default: false } },
    allowPositionals: true,
  });
  const path = new URL("../registry/images.json", import.meta.url);
  const some = chosen(catalog.parse(JSON.parse(await Deno.readTextFile(path))), positionals);
  let wrong = 0;
  const tell = (about: string, problem: string | undefined) => {
    if (problem !== undefined) wrong++;
    console.log(`${problem === undefined ? "ok " : "BAD"} ${about}`);
    if (problem !== undefined) console.log(`    ${problem}`);
  };
  for (const { about, address, problem } of await checkAddresses(some, webHead())) {
    tell(`${about} ${address}`, problem);
  }
  if (values.boot) {
    for (const { name, versions } of some.images) {
      for (const { version, builds } of versions) {
        if (builds[HOST]) tell(`${name}:${version} boots`, await boot(`${name}:${version}`));
      }
    }
  }
  Deno.exit(wrong > 0 ? 1 : 0);
}
