import assert from "node:assert/strict";
import { join } from "node:path";
import { importImage } from "../../lib/image/import.ts";
import { nameFromFile } from "../../lib/image/import_name.ts";
import { listImages } from "../../lib/image/image.ts";
import { resolveImage } from "../../lib/image/resolve.ts";
import { bootableBytes, fails, fixture, sha256, writeRaw } from "./fixture.ts";

Deno.test("a name means its image; an unknown one names the nearest", async () => {
  await using at = await fixture();
  await fails(
    resolveImage(at.context, "debian"),
    "not_found",
    'No image "debian"',
    "nido image search",
  );
  const { image } = await importImage(at.context, { file: await writeRaw(at.at("debian.img")) });
  assert.deepEqual(await resolveImage(at.context, "debian"), { image });
  await fails(
    resolveImage(at.context, "debain"),
    "not_found",
    'No image "debain"; the nearest is "debian"',
    "nido image search",
  );
  await fails(
    resolveImage(at.context, "zebra"),
    "not_found",
    'No image "zebra"',
    "nido image search",
  );
});

Deno.test("a path is imported once and then known without being read", async () => {
  await using at = await fixture();
  const file = await writeRaw(at.at("Debian.img"));
  const { image } = await resolveImage(at.context, file);
  assert.equal(image.name, "debian");
  await Deno.symlink(file, at.at("link.img"));
  const reads: string[] = [];
  const context = { ...at.context, report: ({ stage }: { stage: string }) => reads.push(stage) };
  assert.deepEqual(await resolveImage(context, file), { image });
  assert.deepEqual(await resolveImage(context, join(at.folder, ".", "link.img")), { image });
  assert.deepEqual(reads, []);
});

Deno.test("a file that changed is imported anew under its name; another file gets another", async () => {
  await using at = await fixture();
  const file = await writeRaw(at.at("disk.img"), 1 << 20, 1);
  const { image: first } = await resolveImage(at.context, file);
  await Deno.writeFile(file, bootableBytes(2 << 20, 2));
  const { image: second } = await resolveImage(at.context, file);
  assert.equal(second.name, "disk");
  assert.equal(second.digest, await sha256(file));
  assert.notEqual(second.digest, first.digest);
  await Deno.mkdir(at.at("other"));
  const { image: other } = await resolveImage(
    at.context,
    await writeRaw(at.at("other/disk.img"), 1 << 20, 3),
  );
  assert.equal(other.name, "disk-2");
  assert.deepEqual((await listImages(at.home)).map(({ name }) => name), ["disk", "disk-2"]);
});

Deno.test("a path that is no file, or no disk, says so", async () => {
  await using at = await fixture();
  const absent = at.at("absent.img");
  await fails(
    resolveImage(at.context, absent),
    "not_found",
    `Cannot import ${absent}: no such file`,
  );
  await fails(
    resolveImage(at.context, "./absent"),
    "not_found",
    "Cannot import ./absent: no such file",
  );
  await Deno.writeTextFile(at.at("text.img"), "text");
  await fails(
    resolveImage(at.context, at.at("text.img")),
    "invalid_input",
    `Cannot import ${at.at("text.img")}: it is not a disk image`,
  );
});

Deno.test("names are made from file names", () => {
  const cases = [
    ["/x/Debian 12 (generic).qcow2.xz", "debian-12-generic"],
    ["noble-server-cloudimg-amd64.img", "noble-server-cloudimg-amd64"],
    ["--.img", "image"],
    ["..img", "image"],
    ["Ünïcode.raw", "n-code"],
    ["a".repeat(80) + ".img", "a".repeat(64)],
  ] as const;
  for (const [file, name] of cases) assert.equal(nameFromFile(file), name);
});
