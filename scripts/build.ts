/**
 * Builds `dist/nido.js`: all of Nido in one file, which runs with `deno run -A dist/nido.js`. The same
 * sources give the same bytes.
 *
 *     deno task build [FILE]
 *
 * @module
 */
const [file = "dist/nido.js"] = Deno.args;

// Compiled parts of ssh2 that are faster where somebody has built them; it does without.
const external = ["*.node", "cpu-features"];

const { code, stderr } = await new Deno.Command(Deno.execPath(), {
  args: [
    ...["bundle", "--quiet", "--platform", "deno", "--output", file],
    ...external.map((name) => `--external=${name}`),
    "main.ts",
  ],
}).output();
if (code !== 0) {
  console.error(new TextDecoder().decode(stderr));
  Deno.exit(code);
}
const { size } = await Deno.stat(file);
console.log(`${file}: ${(size / 2 ** 20).toFixed(1)} MiB`);
