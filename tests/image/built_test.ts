import assert from "node:assert/strict";
import { join } from "node:path";
import { buildImage } from "../../lib/image/build_packages.ts";
import { type Built, storeBuilt } from "../../lib/image/built.ts";
import { findImage } from "../../lib/image/image.ts";
import { importImage } from "../../lib/image/import.ts";
import { openRecipe } from "../../lib/recipe/open.ts";
import { namesIn } from "../../lib/store/record.ts";
import { packagesRecipe } from "../recipe/workshop.ts";
import { fails, type Fixture, fixture, writeQcow2, writeRaw } from "./fixture.ts";

const facts = { user: "nido", architecture: "x86_64", firmware: "bios" } as const;

function maker(seed = 1) {
  const maker = {
    count: 0,
    async make(folder: string): Promise<Built> {
      maker.count++;
      return { disk: await writeQcow2(join(folder, "image.qcow2"), 1 << 20, seed), ...facts };
    },
  };
  return maker;
}

async function assertEmpty(at: Fixture) {
  for (const folder of ["images", "disks", "staging"]) {
    assert.deepEqual(await namesIn(join(at.home, folder)), [], folder);
  }
}

Deno.test("what was built is an image that knows its recipe", async () => {
  await using at = await fixture();
  const recipe = packagesRecipe();
  const { image, reused } = await storeBuilt(
    at.context,
    { recipe, name: "debian:12", force: false },
    maker().make,
  );
  assert.equal(reused, false);
  assert.deepEqual(image.source, { recipe: "mine", recipeDigest: recipe.digest });
  const { user, architecture, firmware } = image;
  assert.deepEqual({ user, architecture, firmware }, facts);
  assert.equal(image.disk.virtualSizeBytes, 1 << 20);
  assert.deepEqual(await namesIn(join(at.home, "staging")), []);
});

Deno.test("the same recipe under the same name is found, and built anew when that is asked", async () => {
  await using at = await fixture();
  const [first, second] = [maker(1), maker(2)];
  const building = { recipe: packagesRecipe(), name: "it", force: false };
  const made = await storeBuilt(at.context, building, first.make);
  const found = await storeBuilt(at.context, building, second.make);
  assert.deepEqual([found.reused, second.count], [true, 0]);
  assert.deepEqual(found.image, made.image);
  const anew = await storeBuilt(at.context, { ...building, force: true }, second.make);
  assert.deepEqual([anew.reused, second.count], [false, 1]);
  assert.notEqual(anew.image.digest, made.image.digest);
  assert.deepEqual(await namesIn(join(at.home, "disks")), [anew.image.digest.replace(":", "-")]);
});

Deno.test("two at once for one name build it once", async () => {
  await using at = await fixture();
  const made = maker();
  const building = { recipe: packagesRecipe(), name: "it", force: false };
  const told = await Promise.all([1, 2, 3].map(() => storeBuilt(at.context, building, made.make)));
  assert.equal(made.count, 1);
  assert.deepEqual(told.map(({ reused }) => reused).sort(), [false, true, true]);
});

Deno.test("who has to wait is told", async () => {
  await using at = await fixture();
  const building = { recipe: packagesRecipe(), name: "it", force: false };
  const [begun, told] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
  const report = ({ message }: { message: string }) => told.resolve(message);
  const first = storeBuilt(at.context, building, async (folder) => {
    begun.resolve();
    await told.promise;
    return await maker().make(folder);
  });
  await begun.promise;
  const second = storeBuilt({ ...at.context, report }, building, maker().make);
  assert.equal(await told.promise, 'waiting for who else works on image "it"');
  assert.deepEqual([(await first).reused, (await second).reused], [false, true]);
});

Deno.test("another image, or another recipe's, is not replaced unasked", async () => {
  await using at = await fixture();
  await importImage(at.context, { file: await writeRaw(at.at("disk.img")), name: "it" });
  const { make } = maker();
  const building = { recipe: packagesRecipe(), name: "it", force: false };
  const message = 'Cannot build image "it": the name is taken by another image';
  const hint = "nido image build mine --name it --force";
  await fails(storeBuilt(at.context, building, make), "already_exists", message, hint);
  await storeBuilt(at.context, { ...building, force: true }, make);
  const changed = { ...building, recipe: packagesRecipe({ digest: `sha256:${"1".repeat(64)}` }) };
  await fails(storeBuilt(at.context, changed, make), "already_exists", message, hint);
  const other = { ...building, recipe: packagesRecipe({ reference: "other" }) };
  await fails(
    storeBuilt(at.context, other, make),
    "already_exists",
    message,
    "nido image build other --name it --force",
  );
});

Deno.test("a name that is none is refused before anything is made", async () => {
  await using at = await fixture();
  for (const name of ["../x", "", "a/b", "Debian"]) {
    const made = maker();
    await fails(
      storeBuilt(at.context, { recipe: packagesRecipe(), name, force: false }, made.make),
      "invalid_input",
      `Cannot build image "${name}": use a-z 0-9 . _ : - (at most 64, beginning with a letter or a ` +
        "digit)",
    );
    assert.equal(made.count, 0);
  }
  await assertEmpty(at);
});

Deno.test("a build that fails or is interrupted leaves nothing", async () => {
  await using at = await fixture();
  const building = { recipe: packagesRecipe(), name: "it", force: false };
  const broken = async (folder: string): Promise<Built> => {
    const disk = join(folder, "image.qcow2");
    await Deno.writeTextFile(disk, "not a disk\n".repeat(100));
    return { disk, ...facts };
  };
  await fails(
    storeBuilt(at.context, building, broken),
    "invalid_input",
    'Cannot build image "it": it is not a qcow2 image',
  );
  await assertEmpty(at);
  const stop = new AbortController();
  const stopped = async (folder: string): Promise<Built> => {
    const built = await maker().make(folder);
    stop.abort();
    return built;
  };
  const context = { ...at.context, signal: stop.signal };
  await assert.rejects(storeBuilt(context, building, stopped), { name: "AbortError" });
  await assertEmpty(at);
  assert.equal(await findImage(at.home, "it"), undefined);
});

Deno.test("buildImage takes recipes of packages only, and says what builds the others", async () => {
  await using at = await fixture();
  const recipe = await openRecipe("debian-12-dev");
  await fails(
    buildImage(at.context, recipe, "it"),
    "invalid_input",
    'Cannot build image "it": the recipe debian-12-dev begins with another image',
    "nido image build debian-12-dev --name it",
  );
});
