import assert from "node:assert/strict";
import { dirname } from "node:path";
import { findLocal, openLocal } from "../../lib/image/local.ts";
import { listImages } from "../../lib/image/image.ts";
import { importImage } from "../../lib/image/import.ts";
import imagePull from "../../lib/image/pull.ts";
import { pullImage } from "../../lib/image/pull_image.ts";
import { removeImage } from "../../lib/image/remove.ts";
import { resolveImage } from "../../lib/image/resolve.ts";
import { files } from "../../lib/store/files.ts";
import { namesIn, writeRecord } from "../../lib/store/record.ts";
import { sampleBuild, sampleCatalog } from "../catalog/sample.ts";
import { fails, sha256, useCatalog, writeRaw } from "./fixture.ts";
import { place } from "./pull_place.ts";

const { arch } = Deno.build;

Deno.test("a reference is pulled once, checked, and then here under its full name", async () => {
  await using at = await place();
  const digest = await at.publish("debian.qcow2", 1);
  await at.offer("debian.qcow2", digest);
  const { image, reused } = await pullImage(at.context, "debian:bookworm");
  assert.equal(reused, false);
  const { name, user, architecture, source } = image;
  assert.deepEqual({ name, user, architecture, digest: image.digest, source }, {
    name: "debian:12",
    user: "debian",
    architecture: arch,
    digest,
    source: { url: at.server.url("debian.qcow2"), reference: "debian:12" },
  });
  assert.equal(image.disk.storedDigest, digest);
  assert.equal(await sha256(image.diskPath), digest);
  assert.equal((await pullImage(at.context, "debian:12")).reused, true);
  for (const reference of ["debian:12", "debian:bookworm", `debian:12@${digest}`]) {
    assert.deepEqual(await resolveImage(at.context, reference), { image }, reference);
  }
  assert.equal(at.server.seen.length, 1);
  assert.deepEqual(await namesIn(files.downloads(at.home)), []);
});

Deno.test("a spawn's reference is pulled by itself", async () => {
  await using at = await place();
  const digest = await at.publish("debian.qcow2", 1);
  await at.offer("debian.qcow2", digest);
  await fails(
    openLocal(at.context, "debian:bookworm"),
    "not_found",
    'Image "debian:bookworm" is not here yet',
    "nido image pull debian:bookworm",
  );
  const { image } = await resolveImage(at.context, "debian:bookworm");
  assert.equal(image.digest, digest);
});

Deno.test("several who want one image at once download it once", async () => {
  await using at = await place();
  const digest = await at.publish("debian.qcow2", 1);
  await at.offer("debian.qcow2", digest);
  const pulls = await Promise.all([1, 2, 3].map(() => pullImage(at.context, "debian:12")));
  assert.deepEqual(pulls.map(({ image }) => image.digest), [digest, digest, digest]);
  assert.equal(pulls.filter(({ reused }) => !reused).length, 1);
  assert.equal(at.server.sentBytes(), at.server.files["debian.qcow2"]!.bytes.length);
});

Deno.test("a newer file takes the name, and the older one is had by its digest", async () => {
  await using at = await place();
  const older = await at.publish("one.qcow2", 1);
  await at.offer("one.qcow2", older);
  await pullImage(at.context, "debian:12");
  const newer = await at.publish("two.qcow2", 2);
  await at.offer("two.qcow2", newer);
  assert.equal((await resolveImage(at.context, "debian:12")).image.digest, older);
  assert.equal((await pullImage(at.context, "debian:12")).image.digest, newer);
  assert.equal((await resolveImage(at.context, "debian:12")).image.digest, newer);
  const again = (await resolveImage(at.context, `debian:12@${older}`)).image;
  assert.deepEqual([again.name, again.digest, again.user], ["debian:12", older, "debian"]);
  assert.equal(await findLocal(at.context, `alpine:3.20@${older}`), undefined);
  assert.equal(at.server.seen.length, 2);
});

Deno.test("a digest alone means an image of any version that is here", async () => {
  await using at = await place();
  const older = await at.publish("one.qcow2", 1);
  await at.offer("one.qcow2", older);
  await pullImage(at.context, "debian:12");
  const newer = await at.publish("two.qcow2", 2);
  await at.offer("two.qcow2", newer);
  const { image } = await resolveImage(at.context, `debian@${older}`);
  assert.deepEqual([image.name, image.digest], ["debian:12", older]);
  await pullImage(at.context, "debian:12");
  assert.equal((await resolveImage(at.context, `debian@${older}`)).image.digest, older);
  assert.equal(await findLocal(at.context, `alpine@${older}`), undefined);
});

Deno.test("an image of one's own that lost its disk is not replaced by a pull of its name", async () => {
  await using at = await place();
  const file = await writeRaw(at.at("own.raw"));
  const { image } = await importImage(at.context, { file, name: "debian:12" });
  await Deno.remove(dirname(image.diskPath), { recursive: true });
  const digest = await at.publish("debian.qcow2", 1);
  await at.offer("debian.qcow2", digest);
  await fails(
    pullImage(at.context, "debian:12"),
    "already_exists",
    'Cannot pull debian:12: "debian:12" is another image here',
    "nido image info debian:12, and nido image remove debian:12",
  );
});

Deno.test("a name whose image can't be read is not given away: the disk may be one's own", async () => {
  await using at = await place();
  const file = await writeRaw(at.at("own.raw"));
  await importImage(at.context, { file, name: "debian:12" });
  const digest = await at.publish("debian.qcow2", 1);
  await at.offer("debian.qcow2", digest);
  for (const text of ["{", '{"schemaVersion":2}']) {
    await Deno.writeTextFile(files.image(at.home, "debian:12"), text);
    await fails(
      pullImage(at.context, "debian:12"),
      "already_exists",
      'Cannot pull debian:12: "debian:12" is here already, and can\'t be read',
      "nido image remove debian:12",
    );
    assert.equal(await Deno.readTextFile(files.image(at.home, "debian:12")), text);
  }
  assert.equal(at.server.seen.length, 0);
  await removeImage(at.context, "debian:12");
  assert.equal((await pullImage(at.context, "debian:12")).image.digest, digest);
});

Deno.test("a digest that the catalog has not is not pulled", async () => {
  await using at = await place();
  const digest = await at.publish("debian.qcow2", 1);
  await at.offer("debian.qcow2", digest);
  const other = `sha256:${"0".repeat(64)}`;
  await fails(
    pullImage(at.context, `debian:12@${other}`),
    "not_found",
    `Cannot pull debian:12@${other}: the catalog has ${digest} by now`,
  );
  assert.equal(at.server.seen.length, 0);
});

Deno.test("a file that is another than was published is not stored", async () => {
  await using at = await place();
  const real = await at.publish("debian.qcow2", 1);
  const digest = `sha256:${"1".repeat(64)}`;
  await at.offer("debian.qcow2", digest);
  await assert.rejects(pullImage(at.context, "debian:12"), (error: Error) => {
    assert.match(error.message, new RegExp(`^Cannot .*${digest}`));
    assert.match(error.message, new RegExp(real));
    return true;
  });
  assert.deepEqual(await listImages(at.home), []);
  assert.deepEqual(await namesIn(files.disks(at.home)), []);
});

Deno.test("a file that was taken away is looked for in a newer catalog", async () => {
  await using at = await place();
  const digest = await at.publish("new.qcow2", 1);
  const build = (path: string) => sampleBuild({ url: at.server.url(path), digest });
  const catalog = (path: string) => {
    const catalog = sampleCatalog();
    catalog.images[1]!.versions[1]!.builds = { [arch]: build(path) };
    return { bytes: new TextEncoder().encode(JSON.stringify(catalog)) };
  };
  at.server.files["images.json"] = catalog("old.qcow2");
  const from = at.server.url("images.json");
  await fails(
    pullImage(at.context, "debian:12", { from }),
    "not_found",
    `Cannot download debian:12: ${at.server.url("old.qcow2")}: it answers with HTTP status 404`,
  );
  at.server.files["images.json"] = catalog("new.qcow2");
  const { image } = await pullImage(at.context, "debian:12", { from });
  assert.equal(image.digest, digest);
});

Deno.test("an image that was imported keeps its name", async () => {
  await using at = await place();
  const digest = await at.publish("debian.qcow2", 1);
  await at.offer("debian.qcow2", digest);
  const file = await writeRaw(at.at("own.img"), 1 << 20, 7);
  const { image } = await importImage(at.context, { file, name: "debian:12" });
  await fails(
    pullImage(at.context, "debian:12"),
    "already_exists",
    'Cannot pull debian:12: "debian:12" is another image here',
    "nido image info debian:12, and nido image remove debian:12",
  );
  assert.deepEqual((await resolveImage(at.context, "debian:12")).image, image);
});

Deno.test("an address needs a digest, or the word that it is wanted without one", async () => {
  await using at = await place();
  const digest = await at.publish("files/Own-arm64.qcow2", 1);
  const url = at.server.url("files/Own-arm64.qcow2");
  await fails(
    resolveImage(at.context, url),
    "invalid_input",
    `Cannot pull ${url}: no digest to check it by is named`,
    `nido image pull ${url} --sha256 DIGEST`,
  );
  assert.equal(at.server.seen.length, 0);
  const { image } = await pullImage(at.context, `${url}@${digest}`);
  assert.deepEqual([image.name, image.architecture, image.firmware, image.user], [
    "own-arm64",
    "aarch64",
    "uefi",
    "nido",
  ]);
  assert.deepEqual((await resolveImage(at.context, url)).image, image);
  const open = at.server.url("other/Own-arm64.qcow2");
  at.server.files["other/Own-arm64.qcow2"] = {
    bytes: await Deno.readFile(await writeRaw(at.at("x"))),
  };
  await fails(
    pullImage(at.context, open, { insecureNoChecksum: true }),
    "already_exists",
    `Cannot pull ${open}: "own-arm64" is another image here`,
  );
  const other = await pullImage(at.context, open, { insecureNoChecksum: true, name: "other" });
  assert.equal(other.image.digest, await sha256(at.at("x")));
});

Deno.test("another architecture has a name of its own here", async () => {
  await using at = await place();
  const digest = await at.publish("debian.qcow2", 1);
  const catalog = sampleCatalog();
  const other = arch === "x86_64" ? "aarch64" : "x86_64";
  catalog.images[1]!.versions[1]!.builds = {
    [other]: sampleBuild({ url: at.server.url("debian.qcow2"), digest }),
  };
  await useCatalog(at.home, catalog);
  await fails(
    pullImage(at.context, "debian:12"),
    "not_found",
    `Cannot pull debian:12 for ${arch}: it is published for ${other}`,
  );
  const { image } = await resolveImage(at.context, "debian:bookworm", other);
  assert.deepEqual([image.name, image.architecture], [`debian:12-${other}`, other]);
  assert.equal((await resolveImage(at.context, "debian:12", other)).image.digest, digest);
  assert.equal(await findLocal(at.context, "debian:12"), undefined);
});

Deno.test("over MCP and REST nothing is built: the error names the command", async () => {
  await using at = await place();
  await at.offer("gone.qcow2", `sha256:${"2".repeat(64)}`);
  const gone = `Cannot download debian:12: ${
    at.server.url("gone.qcow2")
  }: it answers with HTTP status 404`;
  for (const surface of ["mcp", "rest"] as const) {
    await fails(
      resolveImage({ ...at.context, actor: { surface } }, "debian:12"),
      "not_found",
      `${gone}; somebody at this machine can build it`,
      "nido image build debian-12 --name debian:12",
    );
  }
});

Deno.test("the command for a lost disk brings the same one back", async () => {
  await using at = await place();
  const digest = await at.publish("own.qcow2", 1);
  const url = at.server.url("own.qcow2");
  const given = { name: "mine", user: "root", architecture: "aarch64", firmware: "uefi" } as const;
  const { image } = await pullImage(at.context, `${url}@${digest}`, given);
  await Deno.remove(dirname(image.diskPath), { recursive: true });
  const hint = `nido image pull ${url}@${digest} --name mine --user root --architecture aarch64 ` +
    "--firmware uefi";
  const message = 'Cannot use image "mine": its disk is missing';
  await fails(resolveImage(at.context, "mine"), "integrity", message, hint);
  await pullImage(at.context, `${url}@${digest}`, given);
  const { importedAt: _, ...now } = (await resolveImage(at.context, "mine")).image;
  assert.deepEqual([now.digest, now.user, now.architecture], [digest, "root", "aarch64"]);
  const base = "debian:12";
  const other = arch === "x86_64" ? "aarch64" : "x86_64";
  const catalog = sampleCatalog();
  catalog.images[1]!.versions[1]!.builds = { [other]: sampleBuild({ url, digest }) };
  await useCatalog(at.home, catalog);
  await pullImage(at.context, base, { architecture: other });
  await Deno.remove(dirname(image.diskPath), { recursive: true });
  await fails(
    resolveImage(at.context, `${base}-${other}`),
    "integrity",
    `Cannot use image "${base}-${other}": its disk is missing`,
    `nido image pull ${base} --architecture ${other}`,
  );
});

Deno.test("a digest is found under the name that it is asked for, whatever else means it", async () => {
  await using at = await place();
  const digest = await at.publish("one.qcow2", 1);
  await at.offer("one.qcow2", digest);
  await pullImage(at.context, "debian:12");
  const file = at.at("a-copy.qcow2");
  await Deno.writeFile(file, at.server.files["one.qcow2"]!.bytes);
  await importImage(at.context, { file });
  const newer = await at.publish("two.qcow2", 2);
  await at.offer("two.qcow2", newer);
  const found = async () => (await resolveImage(at.context, `debian:12@${digest}`)).image;
  assert.deepEqual([(await found()).name, (await found()).digest], ["debian:12", digest]);
  await pullImage(at.context, "debian:12");
  assert.deepEqual([(await found()).name, (await found()).digest], ["debian:12", digest]);
  assert.equal((await findLocal(at.context, `a-copy@${digest}`))?.name, "a-copy");
});

Deno.test("an image for another architecture than is asked for is not taken", async () => {
  await using at = await place();
  const other = arch === "x86_64" ? "aarch64" : "x86_64";
  const file = await writeRaw(at.at("own.img"));
  const request = { file, architecture: other, firmware: "uefi" } as const;
  const { image } = await importImage(at.context, { ...request, name: "own" });
  await fails(
    resolveImage(at.context, "own", arch),
    "invalid_input",
    `Cannot use image "own" for ${arch}: it is for ${other}`,
    "nido image info own",
  );
  for (const asked of [other, undefined] as const) {
    assert.deepEqual((await resolveImage(at.context, "own", asked)).image, image);
  }
});

Deno.test("what the catalog's recipe built gives way to a pull, and nothing else that was built", async () => {
  await using at = await place();
  const digest = await at.publish("debian.qcow2", 1);
  await at.offer("debian.qcow2", digest);
  const file = await writeRaw(at.at("own.img"), 1 << 20, 7);
  await importImage(at.context, { file, name: "debian:12" });
  const path = files.image(at.home, "debian:12");
  const record = JSON.parse(await Deno.readTextFile(path));
  const builtBy = (recipe: string) =>
    writeRecord(path, { ...record, source: { recipe, recipeDigest: digest } });
  await builtBy("/home/me/web.yaml");
  await fails(
    pullImage(at.context, "debian:12"),
    "already_exists",
    'Cannot pull debian:12: "debian:12" is another image here',
  );
  await builtBy("debian-12");
  assert.equal((await pullImage(at.context, "debian:12")).image.digest, digest);
});

Deno.test("a digest that the catalog at hand has not yet is looked for in a newer one", async () => {
  await using at = await place();
  const [older, newer] = [await at.publish("one.qcow2", 1), await at.publish("two.qcow2", 2)];
  const from = at.server.url("images.json");
  const offer = (path: string, digest: string) => {
    const catalog = sampleCatalog();
    const build = sampleBuild({ url: at.server.url(path), digest });
    catalog.images[1]!.versions[1]!.builds = { [arch]: build };
    at.server.files["images.json"] = { bytes: new TextEncoder().encode(JSON.stringify(catalog)) };
  };
  offer("one.qcow2", older);
  await pullImage(at.context, "debian:12", { from });
  offer("two.qcow2", newer);
  const { image } = await pullImage(at.context, `debian:12@${newer}`, { from });
  assert.equal(image.digest, newer);
  assert.equal((await resolveImage(at.context, "debian:12")).image.digest, older);
  const other = `sha256:${"0".repeat(64)}`;
  await fails(
    pullImage(at.context, `debian:12@${other}`, { from }),
    "not_found",
    `Cannot pull debian:12@${other}: the catalog has ${newer} by now`,
  );
});

Deno.test("one name for several addresses is refused before anything is downloaded", async () => {
  await using at = await place();
  const references = await Promise.all(
    ["a.qcow2", "b.qcow2"].map(async (path, seed) =>
      `${at.server.url(path)}@${await at.publish(path, seed + 1)}`
    ),
  );
  await fails(
    imagePull.call(at.context, { references, name: "x" }),
    "invalid_input",
    "Cannot pull: --name belongs to one address",
    `nido image pull ${references[0]} --name x`,
  );
  assert.equal(at.server.seen.length, 0);
});

Deno.test("an agent can't give a name of the catalog to another file", async () => {
  await using at = await place();
  await at.offer("debian.qcow2", `sha256:${"2".repeat(64)}`);
  const digest = await at.publish("other/own.qcow2", 1);
  const url = at.server.url("other/own.qcow2");
  const file = await writeRaw(at.at("own.img"));
  const agent = { ...at.context, actor: { surface: "mcp" as const } };
  for (const name of ["debian:12", "debian", "debian:bookworm", `debian:12-${arch}`]) {
    const fact = `"${name}" is a name of the catalog, and this is another file`;
    await fails(
      pullImage(agent, `${url}@${digest}`, { name }),
      "denied",
      `Cannot pull ${url}: ${fact}`,
    );
    await fails(importImage(agent, { file, name }), "denied", `Cannot import ${file}: ${fact}`);
  }
  assert.deepEqual(await listImages(at.home), []);
  await pullImage(agent, `${url}@${digest}`, { name: "debian-own" });
  assert.equal(
    (await importImage(at.context, { file, name: "debian:12" })).image.name,
    "debian:12",
  );
});

Deno.test("what is asked for by its digest is never built instead", async () => {
  await using at = await place();
  const digest = `sha256:${"2".repeat(64)}`;
  await at.offer("gone.qcow2", digest);
  await fails(
    resolveImage(at.context, `debian:12@${digest}`),
    "not_found",
    `Cannot download debian:12: ${at.server.url("gone.qcow2")}: it answers with HTTP status 404`,
  );
});

Deno.test("what another process has pulled while this one turned to building is taken", async () => {
  await using at = await place();
  const digest = await at.publish("debian.qcow2", 1);
  await at.offer("debian.qcow2", digest);
  const { image } = await pullImage(at.context, "debian:12");
  const [record, disk] = [files.image(at.home, "debian:12"), dirname(image.diskPath)];
  for (const path of [record, disk]) await Deno.rename(path, `${at.at("theirs")}-${path.length}`);
  at.server.files["debian.qcow2"]!.always = { status: 404 };
  const report = ({ stage }: { stage: string }) => {
    if (stage !== "build") return;
    for (const path of [record, disk]) Deno.renameSync(`${at.at("theirs")}-${path.length}`, path);
  };
  assert.deepEqual(await resolveImage({ ...at.context, report }, "debian:12"), { image });
});

Deno.test("what took the name while it was pulled for a spawn is what the name means", async () => {
  await using at = await place();
  const file = await writeRaw(at.at("own.img"), 1 << 20, 7);
  const { image } = await importImage(at.context, { file, name: "debian:12" });
  const record = files.image(at.home, "debian:12");
  await Deno.rename(record, at.at("theirs"));
  const digest = await at.publish("debian.qcow2", 1);
  await at.offer("debian.qcow2", digest);
  const report = ({ stage, done = 0 }: { stage: string; done?: number }) => {
    if (stage === "download" && done > 0) Deno.copyFileSync(at.at("theirs"), record);
  };
  assert.deepEqual(await resolveImage({ ...at.context, report }, "debian:12"), { image });
  await fails(
    resolveImage(at.context, `debian:12@${digest}`),
    "already_exists",
    'Cannot pull debian:12: "debian:12" is another image here',
  );
});
