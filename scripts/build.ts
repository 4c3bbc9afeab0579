/**
 * Builds `dist/nido.js`: all of Nido in one file, which runs with `deno run -A dist/nido.js`. The same
 * sources give the same bytes.
 *
 *     deno task build [FILE]
 *
 * @module
 */
import { bundle } from "./build/bundle.ts";

const [file = "dist/nido.js"] = Deno.args;
await bundle(file);
const { size } = await Deno.stat(file);
console.log(`${file}: ${(size / 2 ** 20).toFixed(1)} MiB`);
