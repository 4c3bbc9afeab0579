import assert from "node:assert/strict";
import { catalog } from "../../lib/catalog/catalog.ts";
import { openRecipe } from "../../lib/recipe/open.ts";
import { readSources } from "../../registry/builder/read_sources.ts";
import { strategies } from "../../registry/builder/strategies.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { SOURCES } from "./site.ts";

const GOOD = `schemaVersion: 1
sources:
  - name: arch
    title: Arch Linux
    description: Images.
    homepage: https://archlinux.org
    strategy: arch
    at: https://geo.mirror.pkgbuild.com/images/
    user: arch
    cloudInit: true
    guestAgent: true
`;

const refused = (text: string, message: string) =>
  assert.rejects(readSources(text, "sources.yaml"), {
    code: "invalid_input",
    message: `Cannot read sources.yaml: ${message}`,
  });

Deno.test("a source has what it says, and what goes without saying", async () => {
  assert.deepEqual(await readSources(GOOD, "sources.yaml"), [{
    name: "arch",
    title: "Arch Linux",
    description: "Images.",
    homepage: "https://archlinux.org",
    strategy: "arch",
    at: "https://geo.mirror.pkgbuild.com/images/",
    mirrors: [],
    architectures: ["x86_64", "aarch64"],
    format: "qcow2",
    firmware: { x86_64: "bios", aarch64: "uefi" },
    user: "arch",
    cloudInit: true,
    guestAgent: true,
    releases: {},
  }]);
});

Deno.test("what is wrong is told with its place", async () => {
  await refused(
    GOOD.replace("user: arch", "usr: arch"),
    "line 3, column 5: sources.0.user: Invalid input: expected string, received undefined; " +
      "line 9, column 10: sources.0.usr: no such setting",
  );
  await refused(
    GOOD.replace("cloudInit: true", "cloudInit: maybe"),
    "line 10, column 16: sources.0.cloudInit: Invalid input: expected boolean, received string",
  );
  await refused(
    GOOD.replace("name: arch", "name: Arch"),
    "line 3, column 11: sources.0.name: use a-z 0-9 . _ - (at most 32)",
  );
  await refused(
    GOOD.replace("https://geo", "http://geo"),
    "line 8, column 9: sources.0.at: Invalid URL",
  );
  await refused(
    GOOD.replace("images/", "images"),
    'line 8, column 9: sources.0.at: Invalid string: must end with "/"',
  );
  await refused(
    `${GOOD}${GOOD.slice(GOOD.indexOf("  - name"))}`,
    "line 12, column 11: sources.1.name: the name arch is given twice",
  );
  await refused(
    GOOD.replace("strategy: arch", "strategy: gentoo"),
    "line 7, column 15: sources.0.strategy: Invalid discriminator value. Expected " +
      Object.keys(strategies).map((name) => `'${name}'`).join(" | "),
  );
});

Deno.test("a list that is no YAML, or too much of it, is refused", async () => {
  await assert.rejects(readSources("a: [", "sources.yaml"), { code: "invalid_input" });
  await assert.rejects(readSources("", "sources.yaml"), { code: "invalid_input" });
  await assert.rejects(readSources(`${GOOD}sources: []\n`, "sources.yaml"), {
    message: /^Cannot read sources.yaml: line 12, column 1: Map keys must be unique/,
  });
});

const shipped = await readSources(await Deno.readTextFile(SOURCES), "sources.yaml");
const known = catalog.parse(
  JSON.parse(await Deno.readTextFile(fromFileUrl("../../registry/images.json"))),
);

Deno.test("the shipped sources use every strategy that a publisher has", () => {
  const used = new Set(shipped.map(({ strategy }) => strategy));
  const forAnybody = ["generic", "github-release"];
  assert.deepEqual([...used, ...forAnybody].sort(), Object.keys(strategies).sort());
});

Deno.test("the shipped catalog holds what the sources name, nothing stale, under their addresses", () => {
  assert.deepEqual(known.images.map(({ name }) => name), shipped.map(({ name }) => name).sort());
  for (const { name, versions } of known.images) {
    const source = shipped.find((one) => one.name === name)!;
    for (const { version, builds } of versions) {
      for (const [architecture, build] of Object.entries(builds)) {
        const about = `${name}:${version} ${architecture}`;
        assert.ok(build.url.startsWith(source.at), about);
        assert.equal(build.mirrors?.length ?? 0, source.mirrors.length, about);
        assert.equal(build.stale, undefined, about);
        assert.ok(!/latest|current/.test(build.url), `${about}: an address that moves on`);
        assert.ok(!/(.)\1{15}/.test(build.digest), `${about}: a digest that nobody published`);
      }
    }
  }
});

Deno.test("no two files of the shipped catalog have the same digest or address", () => {
  const builds = known.images.flatMap(({ versions }) =>
    versions.flatMap(({ builds }) => Object.values(builds))
  );
  assert.ok(builds.length > 40);
  assert.equal(new Set(builds.map(({ url }) => url)).size, builds.length);
  assert.equal(new Set(builds.map(({ digest }) => digest)).size, builds.length);
});

Deno.test("each recipe that the shipped catalog names is there", async () => {
  const recipes = known.images.flatMap(({ versions }) =>
    versions.flatMap(({ recipe }) => recipe ?? [])
  );
  assert.deepEqual(recipes, ["debian-12"]);
  for (const recipe of recipes) await openRecipe(recipe);
});
