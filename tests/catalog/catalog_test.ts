import assert from "node:assert/strict";
import { catalog } from "../../lib/catalog/catalog.ts";

const DIGEST = `sha256:${"1".repeat(64)}`;
const build = {
  url: "https://images.example/a.qcow2",
  digest: DIGEST,
  format: "qcow2",
  firmware: "bios",
  user: "debian",
  cloudInit: true,
  guestAgent: false,
};
const version = { version: "12", aliases: ["bookworm"], builds: { x86_64: build } };
const image = {
  name: "debian",
  title: "Debian",
  description: "Debian's images.",
  homepage: "https://www.debian.org",
  versions: [version],
};

function problems(images: unknown[]): string[] {
  const read = catalog.safeParse({ schemaVersion: 1, updatedAt: "2026-11-23T00:00:00Z", images });
  return read.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`) ?? [];
}

const withBuild = (parts: Record<string, unknown>) => [
  { ...image, versions: [{ ...version, builds: { x86_64: { ...build, ...parts } } }] },
];

Deno.test("a catalog of one image is read", () => {
  assert.deepEqual(problems([image]), []);
  assert.deepEqual(problems([]), []);
});

Deno.test("an image's name is there once", () => {
  assert.deepEqual(problems([image, image]), ["images: the name debian is given twice"]);
});

Deno.test("the newest version comes first, as people count", () => {
  const versions = ["3.20.10", "3.20.9"].map((name) => ({
    ...version,
    aliases: [],
    version: name,
  }));
  assert.deepEqual(problems([{ ...image, versions }]), []);
  assert.deepEqual(problems([{ ...image, versions: versions.toReversed() }]), [
    "images.0.versions: the newest version comes first",
  ]);
});

Deno.test("latest is no name that a catalog gives", () => {
  const told = ["images.0.versions: latest is always the first version"];
  assert.deepEqual(problems([{ ...image, versions: [{ ...version, aliases: ["latest"] }] }]), told);
  assert.deepEqual(problems([{ ...image, versions: [{ ...version, version: "latest" }] }]), told);
});

Deno.test("a word means one version", () => {
  const older = { ...version, version: "11", aliases: ["bookworm"] };
  assert.deepEqual(problems([{ ...image, versions: [version, older] }]), [
    "images.0.versions: bookworm means two versions",
  ]);
  assert.deepEqual(
    problems([{ ...image, versions: [version, { ...older, aliases: ["12"] }] }]),
    ["images.0.versions: 12 means two versions"],
  );
});

Deno.test("a version has a file or a recipe", () => {
  const bare = { ...version, builds: {} };
  assert.deepEqual(problems([{ ...image, versions: [{ ...bare, recipe: "debian-12" }] }]), []);
  assert.deepEqual(problems([{ ...image, versions: [bare] }]), [
    "images.0.versions.0.builds: it has neither a file nor a recipe",
  ]);
});

Deno.test("a build says where its file is, and its digest, and nothing unknown", () => {
  const refused: [Record<string, unknown>, RegExp][] = [
    [{ url: "ftp://images.example/a" }, /\.url: /],
    [{ url: "file:///etc/passwd" }, /\.url: /],
    [{ digest: "md5:1" }, /\.digest: use sha256:/],
    [{ digest: DIGEST.toUpperCase() }, /\.digest: use sha256:/],
    [{ digest: undefined }, /\.digest: /],
    [{ sizeBytes: 0 }, /\.sizeBytes: /],
    [{ partUrls: ["https://images.example/a.001"] }, /\.partUrls: /],
    [{ user: "root; reboot" }, /\.user: /],
    [{ packing: "zip" }, /\.packing: /],
    [{ builtAt: "yesterday" }, /\.builtAt: /],
    [{ moving: true }, /Unrecognized key/],
  ];
  for (const [parts, told] of refused) {
    const [problem = "none", ...others] = problems(withBuild(parts));
    assert.match(problem, told);
    assert.deepEqual(others, []);
  }
});

Deno.test("names are words that a command line and a path can hold", () => {
  for (const name of ["../x", "Debian", "a b", "a:b", "a@b", "", "-a", "x".repeat(33)]) {
    assert.equal(problems([{ ...image, name }]).length, 1, name);
    assert.equal(
      problems([{ ...image, versions: [{ ...version, version: name }] }]).length,
      1,
      name,
    );
  }
});

Deno.test("a name and a version together are not longer than an image's name here", () => {
  const named = (length: number) => ({
    ...image,
    name: "n".repeat(32),
    versions: [{ ...version, version: "1".repeat(length) }],
  });
  assert.deepEqual(problems([named(23)]), []);
  assert.deepEqual(problems([named(24)]), [
    `images.0.versions: ${"n".repeat(32)}:${"1".repeat(24)} is too long to be an image's name`,
  ]);
});
