import { join, relative } from "node:path";

/** Compiled parts of ssh2 that are faster where somebody has built them; it does without. */
const EXTERNAL = ["*.node", "cpu-features"];

/** Writes all of Nido into one JavaScript file; the same sources give the same bytes anywhere. */
export async function bundle(file: string, main = "main.ts"): Promise<void> {
  await deno([
    ...["bundle", "--quiet", "--platform", "deno", "--output", file],
    ...EXTERNAL.map((name) => `--external=${name}`),
    main,
  ]);
  const commit = await commitOfSources();
  const head = [
    ...(commit === undefined ? [] : [`const NIDO_COMMIT = ${JSON.stringify(commit)};`]),
    'const __dirname = import.meta.dirname ?? ".";', // ssh2, which is CommonJS, looks beside itself
  ].join("\n");
  await Deno.writeTextFile(file, `${head}\n${await withoutPlaces(await Deno.readTextFile(file))}`);
}

/** The bundler names each module by its path, and those of libraries are in a cache of this machine. */
async function withoutPlaces(code: string): Promise<string> {
  const { npmCache } = JSON.parse(await deno(["info", "--json"]));
  const [registry = ""] = await Array.fromAsync(
    Deno.readDir(npmCache),
    ({ name, isDirectory }) => isDirectory ? name : "",
  ).then((names) => names.filter((name) => name.includes(".")));
  const place = join(relative(Deno.cwd(), npmCache), registry).replaceAll("\\", "/");
  return code.replaceAll(`${place}/`, "npm/");
}

/** The commit that is checked out, marked where files differ from it; undefined outside of git. */
async function commitOfSources(): Promise<string | undefined> {
  try {
    const { code, stdout } = await new Deno.Command("git", {
      args: ["describe", "--always", "--abbrev=12", "--exclude=*", "--dirty"],
      stderr: "null",
    }).output();
    return code === 0 ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined; // no git on this machine
    throw error;
  }
}

async function deno(args: string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const said = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (code !== 0) throw new Error(`deno ${args[0]} failed:\n${said(stderr)}`);
  return said(stdout);
}
