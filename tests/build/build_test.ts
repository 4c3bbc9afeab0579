import assert from "node:assert/strict";
import build from "../../lib/build/build.ts";
import { importImage } from "../../lib/image/import.ts";
import { namesIn } from "../../lib/store/record.ts";
import { fails, type Fixture, fixture, writeRaw } from "../image/fixture.ts";

async function writeRecipe(at: Fixture, text: string, name = "mine.yaml"): Promise<string> {
  await Deno.writeTextFile(at.at(name), text);
  return at.at(name);
}

async function refuses(at: Fixture, input: Record<string, unknown>, ...told: Told): Promise<void> {
  const before = await namesIn(`${at.home}/images`);
  await fails(build.call(at.context, input), ...told);
  assert.deepEqual(await namesIn(`${at.home}/images`), before);
  for (const folder of ["vms", "incubators", "staging"]) {
    assert.deepEqual(await namesIn(`${at.home}/${folder}`), [], folder);
  }
}

type Told = [code: Parameters<typeof fails>[1], message: string, hint?: string];

Deno.test("only the command line builds images", () => {
  assert.deepEqual(build.surfaces, ["cli"]);
});

Deno.test("a recipe that begins with an image takes no mirror", async () => {
  await using at = await fixture();
  const recipe = await writeRecipe(at, "kind: customize\nbase: debian:12\n");
  await refuses(
    at,
    { recipe, mirror: "https://mirror.example.org/debian" },
    "invalid_input",
    'Cannot build image "mine": its recipe begins with another image, and takes no mirror',
    `nido image build ${recipe}`,
  );
});

Deno.test("a mirror that is no web address is refused", async () => {
  await using at = await fixture();
  await refuses(
    at,
    { recipe: "debian-12", mirror: "ftp://mirror.example.org/" },
    "invalid_input",
    "Cannot run image.build: mirror: use an http or https address",
    "nido image build --help",
  );
});

Deno.test("an image does not replace its own base", async () => {
  await using at = await fixture();
  await importImage(at.context, { file: await writeRaw(at.at("disk.img")), name: "mine" });
  const recipe = await writeRecipe(at, "kind: customize\nbase: mine\n");
  await refuses(
    at,
    { recipe, force: true },
    "invalid_input",
    'Cannot build image "mine": it would replace its own base',
    `nido image build ${recipe} --name mine-custom`,
  );
});

Deno.test("user-data that cloud-init would drop is refused before anything is spawned", async () => {
  await using at = await fixture();
  await importImage(at.context, { file: await writeRaw(at.at("disk.img")), name: "base" });
  const recipe = await writeRecipe(
    at,
    "kind: customize\nbase: base\nuserData: |\n  #cloud-config\n  a: [\n",
  );
  const error = await build.call(at.context, { recipe }).catch((error) => error);
  assert.equal(error.code, "invalid_input");
  assert.match(error.message, /^Cannot use the user-data: line 3, column 1: /);
});

Deno.test("sources that are not there are told before anything is spawned", async () => {
  await using at = await fixture();
  await importImage(at.context, { file: await writeRaw(at.at("disk.img")), name: "base" });
  const recipe = await writeRecipe(
    at,
    "kind: customize\nbase: base\nfiles:\n  - path: /srv/app\n    source: ./app\n",
  );
  await refuses(
    at,
    { recipe },
    "not_found",
    `Cannot build image "mine": there is no ${at.at("app")}, which its recipe names`,
  );
});

Deno.test("a recipe whose file can't give the image a name needs one", async () => {
  await using at = await fixture();
  await importImage(at.context, { file: await writeRaw(at.at("disk.img")), name: "base" });
  const recipe = await writeRecipe(at, "kind: customize\nbase: base\n", "My Recipe.yaml");
  await refuses(
    at,
    { recipe },
    "invalid_input",
    'Cannot build image "My Recipe": use a-z 0-9 . _ : - (at most 64, beginning with a letter or a ' +
      "digit)",
  );
});
