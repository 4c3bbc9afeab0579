/**
 * Builds what a release consists of: binaries, the bundle, an SBOM, the installers, and the `SHA256SUMS`
 * of them all.
 *
 *     deno task compile [--target TARGET|all] [--output FOLDER]
 *
 * A binary runs on denort, which Deno downloads, or which `DENORT_BIN` names. Ends with status 69 where
 * there is none.
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import manifest from "../deno.json" with { type: "json" };
import { compileBinary, NoRuntime, targetsOf } from "./build/binary.ts";
import { bundle } from "./build/bundle.ts";
import { sbomOf } from "./build/sbom.ts";
import { writeSums } from "./build/sums.ts";
import { targets } from "./build/targets.ts";
import { binaryName } from "../lib/system/installed/release.ts";

const NO_RUNTIME = 69;
const USAGE = 2;

const { values: { target, output } } = parseArgs({
  options: {
    target: { type: "string", default: Deno.build.target },
    output: { type: "string", default: "dist/release" },
  },
});
const wanted = targetsOf(target);
if (!wanted) end(`There is no target ${target}; there are ${Object.keys(targets).join(", ")}`);
if (wanted.length > 1 && Deno.env.has("DENORT_BIN")) {
  end("DENORT_BIN is the denort of one system: say which with --target");
}

await Deno.mkdir(output, { recursive: true });
const script = `nido-${manifest.version}.js`;
await bundle(join(output, script));
const names = [script];
for (const target of wanted) {
  const name = binaryName(manifest.version, targets[target]!);
  try {
    await compileBinary(join(output, script), join(output, name), target);
  } catch (error) {
    if (error instanceof NoRuntime) end(`Cannot compile Nido: ${error.message}`, NO_RUNTIME);
    throw error;
  }
  names.push(name);
}
const sbom = `nido-${manifest.version}.cdx.json`;
await Deno.writeTextFile(join(output, sbom), sbomOf(await Deno.readTextFile(join(output, script))));
names.push(sbom);
for (const installer of ["install.sh", "install.ps1"]) {
  await Deno.copyFile(new URL(installer, import.meta.url), join(output, installer));
  names.push(installer);
}
await writeSums(output, names);
for (const name of [...names, "SHA256SUMS"]) console.log(join(output, name));

function end(message: string, status = USAGE): never {
  console.error(message);
  Deno.exit(status);
}
