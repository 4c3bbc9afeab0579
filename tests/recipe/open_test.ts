import assert from "node:assert/strict";
import { join } from "node:path";
import { openRecipe } from "../../lib/recipe/open.ts";
import { shippedRecipes } from "../../lib/shipped.ts";
import { sha256 } from "../../lib/sha256.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { fails } from "../image/fixture.ts";

Deno.test("each recipe of registry/recipes is shipped, and can be used", async () => {
  const folder = fromFileUrl("../../registry/recipes");
  const named = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  assert.deepEqual(named, shippedRecipes.map((name) => `${name}.yaml`).sort());
  for (const name of shippedRecipes) {
    const recipe = await openRecipe(name);
    const text = await Deno.readTextFile(join(folder, `${name}.yaml`));
    assert.equal(recipe.reference, name);
    assert.equal(recipe.digest, `sha256:${await sha256(text)}`);
    assert.equal(recipe.folder, undefined);
    const held = recipe.kind === "customize" ? [...recipe.files, ...recipe.scripts] : [];
    assert.deepEqual(held.filter(({ source }) => source), [], "it has no folder to find them in");
  }
});

Deno.test("a recipe in a file knows its folder", async () => {
  await using recipes = await folder();
  const path = await recipes.write("mine.yaml", "kind: debian-packages\nrelease: bookworm\n");
  const recipe = await openRecipe(path);
  assert.deepEqual(recipe, {
    kind: "debian-packages",
    release: "bookworm",
    packages: [],
    diskGib: 2,
    reference: path,
    folder: recipes.path,
    digest: `sha256:${await sha256("kind: debian-packages\nrelease: bookworm\n")}`,
  });
});

Deno.test("a recipe that is not there is told, with the nearest name", async () => {
  await using recipes = await folder();
  await fails(
    openRecipe("debain-12"),
    "not_found",
    'No recipe "debain-12"; the nearest is "debian-12"',
    "nido image build debian-12",
  );
  await fails(
    openRecipe("toString"),
    "not_found",
    'No recipe "toString"; there are debian-12, debian-12-dev',
    "nido image build debian-12",
  );
  const path = join(recipes.path, "none.yaml");
  await fails(
    openRecipe(path),
    "not_found",
    `Cannot open the recipe ${path}: there is no such file`,
  );
  await fails(
    openRecipe(`${recipes.path}/`),
    "invalid_input",
    `Cannot open the recipe ${recipes.path}/: it is not a file`,
  );
});

Deno.test("a recipe that is too large is not read", async () => {
  await using recipes = await folder();
  const path = await recipes.write("large.yaml", "");
  await Deno.truncate(path, 4_194_305);
  await fails(
    openRecipe(path),
    "invalid_input",
    `Cannot open the recipe ${path}: it has more than 4194304 bytes`,
  );
});

const packages = "kind: debian-packages\nrelease: bookworm\n";
const customize = "kind: customize\nbase: debian:12\n";

const FAULTS: [what: string, text: string, fact: string][] = [
  ["nothing", "", "line 1, column 1: it must be a map of settings"],
  ["a list", "- a\n", "line 1, column 1: it must be a map of settings"],
  ["an unknown kind", "kind: oven\n", "line 1, column 7: kind: use debian-packages or customize"],
  ["no kind", "release: bookworm\n", "line 1, column 1: kind: use debian-packages or customize"],
  [
    "a missing setting",
    "# mine\nkind: customize\n",
    "line 2, column 1: base: Invalid input: expected string, received undefined",
  ],
  [
    "an unknown setting, and a wrong one",
    `${packages}disk: 3\ndiskGib: 0\n`,
    "line 4, column 10: diskGib: Too small: expected number to be >=1; " +
    "line 3, column 7: disk: no such setting",
  ],
  [
    "a release that is an option",
    "kind: debian-packages\nrelease: --evil\n",
    "line 2, column 10: release: use a release's code name, as bookworm",
  ],
  [
    "a package that is an option",
    `${packages}packages:\n  - less\n  - -oDir=/\n`,
    "line 5, column 5: packages.1: use a package's name",
  ],
  [
    "a mirror that is no web address",
    `${packages}mirror: file:///etc\n`,
    "line 3, column 9: mirror: use an http or https address",
  ],
  [
    "a mirror that brings a source of its own",
    `${packages}mirror: "http://a/ x main\\ndeb [trusted=yes] http://b/"\n`,
    "line 3, column 9: mirror: use an address without spaces",
  ],
  [
    "a day that is none",
    `${packages}snapshot: yesterday\n`,
    "line 3, column 11: snapshot: use a day, as 2026-01-31",
  ],
  [
    "a file that holds nothing",
    `${customize}files:\n  - path: /etc/motd\n`,
    "line 4, column 5: files.0: give either content or source",
  ],
  [
    "a script that holds two things",
    `${customize}scripts:\n  - content: a\n    source: b\n`,
    "line 4, column 5: scripts.0: give either content or source",
  ],
  [
    "a file at no absolute path",
    `${customize}files:\n  - path: ../motd\n    content: a\n`,
    "line 4, column 11: files.0.path: use an absolute path",
  ],
  [
    "a setting given twice",
    `${packages}release: sid\n`,
    "line 3, column 1: Map keys must be unique",
  ],
  [
    "broken YAML",
    "kind: [\n",
    "line 2, column 1: Flow sequence in block collection must be sufficiently indented and end " +
    "with a ]",
  ],
];

for (const [what, text, fact] of FAULTS) {
  Deno.test(`what is wrong in a recipe is told with its place: ${what}`, async () => {
    await using recipes = await folder();
    const path = await recipes.write("mine.yaml", text);
    await fails(
      openRecipe(path),
      "invalid_input",
      `Cannot use the recipe ${path}: ${fact}`,
      "docs/recipes.md tells the fields of recipes",
    );
  });
}

Deno.test("a recipe that would unfold without end is refused", async () => {
  await using recipes = await folder();
  const levels = Array.from(
    { length: 9 },
    (_, level) => `k${level + 1}: &k${level + 1} [*k${level}, *k${level}, *k${level}, *k${level}]`,
  );
  const path = await recipes.write("bomb.yaml", ["k0: &k0 [x, x]", ...levels].join("\n"));
  await fails(
    openRecipe(path),
    "invalid_input",
    `Cannot use the recipe ${path}: line 1, column 1: Excessive alias count indicates a resource ` +
      "exhaustion attack",
  );
});

async function folder() {
  const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "nido-recipe-" }));
  return {
    path,
    async write(name: string, text: string): Promise<string> {
      await Deno.writeTextFile(join(path, name), text);
      return join(path, name);
    },
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
