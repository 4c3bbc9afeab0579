import assert from "node:assert/strict";
import { run } from "../../lib/host/process.ts";
import { importImage } from "../../lib/image/import.ts";
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

/** Packs files of the folder of sources with GNU tar and xz. */
async function pack(at: Fixture, name: string, ...args: string[]): Promise<string> {
  await run("tar", ["-C", at.folder, "-cJf", at.at(name), ...args]);
  return at.at(name);
}

/** A raw disk with data at some places and holes between. */
async function writeSparse(at: Fixture, name: string, places: number[], length: number) {
  using file = await Deno.open(at.at(name), { write: true, createNew: true });
  await file.truncate(length);
  for (const [index, place] of [0, ...places].entries()) {
    await file.seek(place, Deno.SeekMode.Start);
    await file.write(bootableBytes(8192, index + 1));
  }
  return at.at(name);
}

async function refuses(
  at: Fixture,
  file: string,
  code: "denied" | "integrity" | "invalid_input",
  fact: string,
) {
  await fails(importImage(at.context, { file }), code, `Cannot import ${file}: ${fact}`);
  for (const folder of ["images", "disks", "staging"]) {
    assert.deepEqual(await namesIn(`${at.home}/${folder}`), [], folder);
  }
}

Deno.test("the one disk in a .tar.xz is stored, under the archive's digest", async () => {
  await using at = await fixture();
  const raw = await writeRaw(at.at("disk.raw"), 3_000_000);
  await Deno.mkdir(at.at("folder"));
  const long = `${"a".repeat(90)}/${"b".repeat(90)}/disk.raw`;
  await Deno.mkdir(at.at(long.replace(/\/disk.raw$/, "")), { recursive: true });
  await Deno.copyFile(raw, at.at(long));
  const made = [
    await pack(at, "gnu.tar.xz", "--format=gnu", "disk.raw"),
    await pack(at, "pax.tar.xz", "--format=pax", "disk.raw"),
    await pack(at, "ustar.tar.xz", "--format=ustar", "./disk.raw"),
    await pack(at, "folder.tar.xz", "folder", "disk.raw"),
    await pack(at, "long.tar.xz", "--format=gnu", long),
    await pack(at, "longer.tar.xz", "--format=pax", long),
  ];
  for (const file of made) {
    const { image } = await importImage(at.context, { file, name: "it", force: true });
    assert.equal(image.digest, await sha256(file));
    assert.deepEqual([image.disk.sourceFormat, image.disk.sourceCompression], ["raw", "tar.xz"]);
    const compared = ["compare", "-f", "raw", "-F", "qcow2", raw, image.diskPath];
    // A raw disk is as long as whole sectors are.
    await qemuImg(...compared);
  }
});

Deno.test("a plain qcow2 in a .tar.xz is stored as it is", async () => {
  await using at = await fixture();
  const qcow2 = await writeQcow2(at.at("disk.qcow2"));
  const file = await pack(at, "disk.tar.xz", "disk.qcow2");
  const { image } = await importImage(at.context, { file });
  assert.equal(image.disk.storedDigest, await sha256(qcow2));
  assert.equal(await sha256(image.diskPath), await sha256(qcow2));
});

Deno.test("sparse files of GNU tar keep their holes and their places", async () => {
  await using at = await fixture();
  const few = [3 << 20, 20 << 20];
  const many = Array.from({ length: 120 }, (_, index) => (index + 1) * (1 << 18));
  for (const [name, places] of [["few.raw", few], ["many.raw", many], ["none.raw", []]] as const) {
    const raw = await writeSparse(at, name, [...places], 64 << 20);
    for (const format of ["gnu", "oldgnu", "pax"]) {
      const file = await pack(at, `${name}.${format}.tar.xz`, `--format=${format}`, "-S", name);
      const { image } = await importImage(at.context, { file, name: "it", force: true });
      assert.equal(image.disk.virtualSizeBytes, 64 << 20, file);
      await qemuImg("compare", "-f", "raw", "-F", "qcow2", raw, image.diskPath);
    }
  }
});

Deno.test("archives that hold something else are refused", async () => {
  await using at = await fixture();
  await writeRaw(at.at("disk.raw"));
  await writeRaw(at.at("other.raw"));
  await Deno.symlink("/etc/passwd", at.at("link"));
  await Deno.link(at.at("disk.raw"), at.at("hard"));
  await run("mkfifo", [at.at("pipe")]);
  await Deno.mkdir(at.at("empty"));
  await Deno.writeTextFile(at.at("notes.txt"), "not a disk\n".repeat(100));
  const two = await pack(at, "two.tar.xz", "disk.raw", "other.raw");
  await refuses(
    at,
    two,
    "invalid_input",
    'its archive holds more than one file ("disk.raw", "other.raw")',
  );
  const link = 'its archive holds a link ("link")';
  await refuses(at, await pack(at, "link.tar.xz", "link"), "denied", link);
  await refuses(at, await pack(at, "linked.tar.xz", "disk.raw", "link"), "denied", link);
  const hard = await pack(at, "hard.tar.xz", "disk.raw", "hard");
  await refuses(at, hard, "denied", 'its archive holds a link ("hard")');
  const pipe = await pack(at, "pipe.tar.xz", "pipe");
  await refuses(at, pipe, "invalid_input", 'its archive holds something that is no file ("pipe")');
  const empty = await pack(at, "empty.tar.xz", "empty");
  await refuses(at, empty, "invalid_input", "its archive holds no file");
  await refuses(
    at,
    await pack(at, "notes.tar.xz", "notes.txt"),
    "invalid_input",
    "it is not a disk image",
  );
  for (const [index, name] of ["../disk.raw", "/etc/disk.raw", "a/../../disk.raw"].entries()) {
    const to = `--transform=s,.*,${name},`;
    const file = await pack(at, `out${index}.tar.xz`, "-P", to, "disk.raw");
    const fact = `its archive names a file outside itself (${JSON.stringify(name)})`;
    await refuses(at, file, "denied", fact);
  }
  const old = await pack(
    at,
    "old.tar.xz",
    "--format=pax",
    "-S",
    "--sparse-version=0.1",
    "disk.raw",
  );
  await importImage(at.context, { file: old, name: "dense" }); // not sparse in truth, and so not packed so
  await Deno.remove(files.disks(at.home), { recursive: true });
  await Deno.remove(files.image(at.home, "dense"));
  await writeSparse(at, "sparse.raw", [3 << 20], 8 << 20);
  for (const version of ["0.0", "0.1"]) {
    const how = ["--format=pax", "-S", `--sparse-version=${version}`];
    const file = await pack(at, `v${version}.tar.xz`, ...how, "sparse.raw");
    const fact = "its archive is sparse in a way that Nido does not read";
    await refuses(at, file, "invalid_input", fact);
  }
});

Deno.test("archives that are cut short or damaged are refused", async () => {
  await using at = await fixture();
  await writeSparse(at, "disk.raw", [1 << 20, 2 << 20], 4 << 20);
  for (const format of ["gnu", "pax"]) {
    await run("tar", [
      "-C",
      at.folder,
      `--format=${format}`,
      "-Scf",
      at.at("disk.tar"),
      "disk.raw",
    ]);
    const whole = await Deno.readFile(at.at("disk.tar"));
    const file = at.at("bad.tar.xz");
    const damaged = async (bytes: Uint8Array) => {
      await Deno.writeFile(at.at("bad.tar"), bytes);
      await run("xz", ["-kf", at.at("bad.tar")]);
      await refuses(at, file, "integrity", "its tar.xz data is corrupt or cut short");
    };
    const text = new TextDecoder("latin1").decode(whole);
    for (const length of [700, 3000, text.lastIndexOf("\0ustar") + 12_000]) {
      await damaged(whole.slice(0, length));
    }
    const header = format === "gnu" ? 0 : 1024;
    const wrong = whole.slice();
    wrong[header + 150]! ^= 1;
    await damaged(wrong);
  }
  const packed = await Deno.readFile(await pack(at, "disk.tar.xz", "disk.raw"));
  await Deno.writeFile(at.at("cut.tar.xz"), packed.slice(0, packed.length - 30));
  await refuses(at, at.at("cut.tar.xz"), "integrity", "its tar.xz data is corrupt or cut short");
});
