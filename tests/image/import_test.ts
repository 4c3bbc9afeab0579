import assert from "node:assert/strict";
import importOperation, { importImage } from "../../lib/image/import.ts";
import { readQcow2 } from "../../lib/image/qcow2.ts";
import { run } from "../../lib/host/process.ts";
import { files } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import {
  bootableBytes,
  fails,
  type Fixture,
  fixture,
  qemuImg,
  sha256,
  writeQcow2,
  writeRaw,
} from "./fixture.ts";

async function pack(path: string): Promise<string[]> {
  await run("xz", ["-k1", path]);
  await run("gzip", ["-k1", path]);
  await run("zstd", ["-qk1", path]);
  return [`${path}.xz`, `${path}.gz`, `${path}.zst`];
}

async function stored(at: Fixture, file: string, format?: "raw") {
  return (await importImage(at.context, { file, name: "it", force: true, format })).image;
}

Deno.test("a plain qcow2 is stored unchanged, read-only, under its digest", async () => {
  await using at = await fixture();
  const file = await writeQcow2(at.at("Debian 12.qcow2"));
  const { image, reused } = await importImage(at.context, { file });
  assert.equal(reused, false);
  assert.equal(image.name, "debian-12");
  assert.equal(image.digest, await sha256(file));
  assert.equal(image.disk.storedDigest, image.digest);
  assert.equal(image.diskPath, files.diskImage(at.home, image.digest));
  assert.equal(await sha256(image.diskPath), image.digest);
  assert.equal((await Deno.stat(image.diskPath)).mode! & 0o777, 0o400);
  assert.equal(image.disk.virtualSizeBytes, 1 << 20);
  assert.equal(image.user, "nido");
  assert.equal(image.firmware, Deno.build.arch === "aarch64" ? "uefi" : "bios");
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
  const again = await importImage(at.context, { file });
  assert.equal(again.reused, true);
  assert.deepEqual(again.image, image);
});

Deno.test("raw and packed sources become one plain qcow2 v3 with the same content", async () => {
  await using at = await fixture();
  const raw = await writeRaw(at.at("disk.raw"), 3 << 20);
  for (const file of [raw, ...await pack(raw)]) {
    const image = await stored(at, file);
    assert.equal(image.digest, await sha256(file), file);
    assert.equal(image.disk.sourceFormat, "raw");
    assert.equal(image.disk.storedDigest, await sha256(image.diskPath));
    const header = await readQcow2(image.diskPath);
    assert.deepEqual([header.version, header.virtualSizeBytes], [3, 3 << 20]);
    await qemuImg("compare", "-f", "raw", "-F", "qcow2", raw, image.diskPath);
  }
});

Deno.test("a packed plain qcow2 is unpacked and otherwise unchanged", async () => {
  await using at = await fixture();
  const qcow2 = await writeQcow2(at.at("disk.qcow2"));
  for (const file of await pack(qcow2)) {
    const image = await stored(at, file);
    assert.equal(image.digest, await sha256(file), file);
    assert.equal(image.disk.storedDigest, await sha256(qcow2), file);
    assert.equal(await sha256(image.diskPath), await sha256(qcow2), file);
  }
});

Deno.test("gzip, zstd and xz files of several members are read to their end", async () => {
  await using at = await fixture();
  const raw = await writeRaw(at.at("disk.raw"));
  for (const file of await pack(raw)) {
    const once = await Deno.readFile(file);
    await Deno.writeFile(file, once, { append: true });
    assert.equal((await stored(at, file)).disk.virtualSizeBytes, 2 << 20, file);
  }
});

Deno.test("what is not plain is converted: v2, snapshots, bitmaps, extended L2", async () => {
  await using at = await fixture();
  const source = await writeQcow2(at.at("source.qcow2"));
  const make = async (name: string, ...options: string[]) => {
    await qemuImg("convert", "-O", "qcow2", "-f", "qcow2", ...options, source, at.at(name));
    return at.at(name);
  };
  const snapshot = await make("snapshot");
  await qemuImg("snapshot", "-c", "one", snapshot);
  const bitmap = await make("bitmap");
  await qemuImg("bitmap", "--add", bitmap, "b0");
  const [v2, l2] = [
    await make("v2", "-o", "compat=0.10"),
    await make("l2", "-o", "extended_l2=on"),
  ];
  for (const file of [snapshot, bitmap, v2, l2]) {
    const image = await stored(at, file);
    const { version, snapshots, bitmaps, extendedL2 } = await readQcow2(image.diskPath);
    assert.deepEqual([version, snapshots, bitmaps, extendedL2], [3, 0, false, false], file);
    assert.notEqual(image.disk.storedDigest, image.digest);
    await qemuImg("compare", "-f", "qcow2", "-F", "qcow2", source, image.diskPath);
  }
});

Deno.test("--format raw keeps a qcow2 header as the guest's own bytes", async () => {
  await using at = await fixture();
  const file = at.at("trap.raw");
  await qemuImg("create", "-q", "-f", "qcow2", "-u", "-F", "raw", "-b", "/etc/passwd", file, "1M");
  await fails(
    importImage(at.context, { file }),
    "denied",
    `Cannot import ${file}: it has a backing file ("/etc/passwd"), which could leak files of this host`,
  );
  const image = await stored(at, file, "raw");
  await qemuImg("compare", "-f", "raw", "-F", "qcow2", file, image.diskPath);
  assert.equal((await readQcow2(image.diskPath)).backingFile, undefined);
});

Deno.test("holes stay holes", async () => {
  await using at = await fixture();
  const file = await writeQcow2(at.at("holes.qcow2"));
  await Deno.truncate(file, 8 << 20); // a qcow2 file may be longer than its last cluster
  const image = await stored(at, file);
  assert.equal(await sha256(image.diskPath), await sha256(file));
  assert.ok((await Deno.stat(image.diskPath)).blocks! * 512 < 2 << 20);
});

Deno.test("the name, architecture, firmware and user are the caller's or sensible", async () => {
  await using at = await fixture();
  const file = await writeRaw(at.at("alpine-arm64.img"));
  const { image } = await importImage(at.context, { file });
  assert.deepEqual([image.name, image.architecture, image.firmware], [
    "alpine-arm64",
    "aarch64",
    "uefi",
  ]);
  const { image: other } = await importImage(at.context, {
    file,
    name: "alpine:3",
    architecture: "x86_64",
    firmware: "uefi",
    user: "root",
    description: "small",
  });
  assert.equal(other.digest, image.digest);
  assert.deepEqual(
    [other.name, other.architecture, other.firmware, other.user, other.description],
    ["alpine:3", "x86_64", "uefi", "root", "small"],
  );
  await fails(
    importImage(at.context, { file, name: "no", firmware: "bios" }),
    "invalid_input",
    `Cannot import ${file}: an aarch64 machine has no BIOS; it boots by uefi`,
  );
});

Deno.test("a taken name is kept unless forced; a replaced disk that nobody needs goes", async () => {
  await using at = await fixture();
  const one = await writeRaw(at.at("one.img"), 1 << 20, 1);
  const two = await writeRaw(at.at("two.img"), 1 << 20, 2);
  await importImage(at.context, { file: one, name: "base" });
  await fails(
    importImage(at.context, { file: two, name: "base" }),
    "already_exists",
    `Cannot import ${two}: "base" exists`,
    `nido image import ${two} --name base --force`,
  );
  await fails(
    importImage(at.context, { file: one, name: "base", user: "root" }),
    "already_exists",
    `Cannot import ${one}: "base" exists`,
  );
  const { image } = await importImage(at.context, { file: two, name: "base", force: true });
  assert.equal(image.digest, await sha256(two));
  assert.deepEqual(await namesIn(files.disks(at.home)), [image.digest.replace(":", "-")]);
});

Deno.test("bytes stored as one format are not handed out as another", async () => {
  await using at = await fixture();
  const file = await writeQcow2(at.at("disk.qcow2"));
  await importImage(at.context, { file, name: "one" });
  await fails(
    importImage(at.context, { file, name: "two", format: "raw" }),
    "already_exists",
    `Cannot import ${file}: the same bytes are stored as qcow2, and this asks for raw`,
  );
});

Deno.test("a file that grows while it is read is refused and leaves nothing", async () => {
  await using at = await fixture();
  const file = await writeRaw(at.at("growing.img"), 4 << 20);
  let grown = false;
  const context = {
    ...at.context,
    report: () => {
      if (!grown) Deno.writeFileSync(file, bootableBytes(4096), { append: true });
      grown = true;
    },
  };
  await fails(
    importImage(context, { file }),
    "integrity",
    `Cannot import ${file}: it changed while it was read`,
  );
  for (const folder of ["images", "disks", "staging"]) {
    assert.deepEqual(await namesIn(`${at.home}/${folder}`), [], folder);
  }
});

Deno.test("an interrupted import leaves nothing", async () => {
  await using at = await fixture();
  const file = await writeRaw(at.at("disk.img"), 8 << 20);
  for (const stage of ["copy", "convert"]) {
    const stop = new AbortController();
    const context = {
      ...at.context,
      signal: stop.signal,
      report: (progress: { stage: string }) => progress.stage === stage && stop.abort(),
    };
    await fails(
      importOperation.call(context, { file }),
      "cancelled",
      "image.import was interrupted",
    );
    for (const folder of ["images", "disks", "staging"]) {
      assert.deepEqual(await namesIn(`${at.home}/${folder}`), [], `${stage}: ${folder}`);
    }
  }
});

Deno.test("a damaged stored disk is healed by importing the file again", async () => {
  await using at = await fixture();
  const file = await writeQcow2(at.at("disk.qcow2"));
  const { image } = await importImage(at.context, { file });
  await Deno.chmod(image.diskPath, 0o600);
  await Deno.truncate(image.diskPath, 1000);
  await importImage(at.context, { file, force: true });
  assert.equal(await sha256(image.diskPath), image.digest);
});
