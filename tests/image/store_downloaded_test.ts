import assert from "node:assert/strict";
import type { Packing } from "../../lib/catalog/catalog.ts";
import type { Downloaded } from "../../lib/download/download.ts";
import { run } from "../../lib/host/process.ts";
import type { DiskFormat } from "../../lib/image/disk_format.ts";
import type { DiskFacts } from "../../lib/image/image.ts";
import { readQcow2 } from "../../lib/image/qcow2.ts";
import { refuser } from "../../lib/image/refuse.ts";
import { storeDownloaded } from "../../lib/image/store_downloaded.ts";
import { files } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import { withStaging } from "../../lib/store/staging.ts";
import { fails, type Fixture, fixture, qemuImg, sha256, writeQcow2, writeRaw } from "./fixture.ts";

const URL = "http://127.0.0.1/disk";

/** A file as a download hands it over: published under sha512. */
async function downloaded(path: string): Promise<Downloaded> {
  const bytes = await Deno.readFile(path);
  const sha512 = new Uint8Array(await crypto.subtle.digest("SHA-512", bytes)).toHex();
  const digests = { digest: `sha512:${sha512}`, sha256: await sha256(path) };
  return { path, ...digests, sizeBytes: bytes.length, url: URL };
}

async function store(
  at: Fixture,
  path: string,
  published: { format?: DiskFormat; packing?: Packing; facts?: DiskFacts } = {},
) {
  const file = await downloaded(path);
  const refuse = refuser("pull debian:12");
  const record = await withStaging(
    at.context,
    (folder) => storeDownloaded(at.context, folder, file, { ...published, refuse }),
  );
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
  return { record, file, disk: files.diskImage(at.home, file.digest) };
}

async function refuses(
  at: Fixture,
  path: string,
  published: { format?: DiskFormat; packing?: Packing },
  code: Parameters<typeof fails>[1],
  fact: string,
) {
  await fails(store(at, path, published), code, `Cannot pull debian:12: ${fact}`);
  assert.deepEqual(await namesIn(files.disks(at.home)), []);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
}

Deno.test("a plain qcow2 is moved, unchanged, under its published digest", async () => {
  await using at = await fixture();
  const path = await writeQcow2(at.at("disk.qcow2"));
  const { ino } = await Deno.stat(path);
  const facts: DiskFacts = {
    name: "debian:12",
    user: "debian",
    architecture: "x86_64",
    firmware: "bios",
    source: { url: URL },
  };
  const { record, file, disk } = await store(at, path, { format: "qcow2", facts });
  assert.deepEqual({ ...record, storedAt: "" }, {
    schemaVersion: 1,
    digest: file.digest,
    storedDigest: file.sha256,
    storedSizeBytes: file.sizeBytes,
    virtualSizeBytes: 1 << 20,
    sourceFormat: "qcow2",
    sourceCompression: undefined,
    storedAt: "",
    facts,
  });
  assert.equal((await Deno.stat(disk)).ino, ino);
  assert.equal(await sha256(disk), file.sha256);
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
});

Deno.test("every format and packing becomes one plain qcow2 with the same content", async () => {
  await using at = await fixture();
  const raw = await writeRaw(at.at("disk.raw"));
  const made: [string, DiskFormat, Packing?][] = [[raw, "raw"]];
  const convert = async (format: DiskFormat, name: string, ...options: string[]) => {
    await qemuImg("convert", "-f", "raw", "-O", format, ...options, raw, at.at(name));
    made.push([at.at(name), format]);
  };
  await convert("vmdk", "sparse.vmdk");
  await convert("vmdk", "stream.vmdk", "-o", "subformat=streamOptimized");
  await convert("vhdx", "disk.vhdx");
  await convert("vdi", "disk.vdi");
  await convert("vdi", "fixed.vdi", "-o", "static=on");
  await convert("qcow2", "old.qcow2", "-o", "compat=0.10");
  for (const [program, packing] of [["xz", "xz"], ["gzip", "gz"], ["bzip2", "bz2"]] as const) {
    await run(program, ["-k1", raw]);
    made.push([`${raw}.${packing}`, "raw", packing]);
  }
  await run("tar", ["-C", at.folder, "-cJf", at.at("disk.tar.xz"), "disk.raw"]);
  made.push([at.at("disk.tar.xz"), "raw", "tar.xz"]);
  await run("zstd", ["-qk1", raw]);
  made.push([`${raw}.zst`, "raw", "zst"]);
  await run("xz", ["-k1", at.at("sparse.vmdk")]);
  made.push([at.at("sparse.vmdk.xz"), "vmdk", "xz"]);
  for (const [path, format, packing] of made) {
    for (const isDeclared of [true, false]) {
      const { record, file, disk } = await store(at, path, isDeclared ? { format, packing } : {});
      assert.deepEqual([record.sourceFormat, record.sourceCompression], [format, packing], path);
      assert.equal(record.digest, file.digest);
      assert.equal(record.storedDigest, await sha256(disk), path);
      assert.equal((await readQcow2(disk)).version, 3, path);
      await qemuImg("compare", "-f", "raw", "-F", "qcow2", raw, disk);
      await Deno.remove(files.disk(at.home, file.digest), { recursive: true });
    }
    assert.ok((await Deno.stat(path)).isFile, "what is converted stays where it was");
  }
});

Deno.test("what is stored is not read again, and not handed out as another format", async () => {
  await using at = await fixture();
  const path = await writeRaw(at.at("disk.raw"));
  const { record } = await store(at, path, { format: "raw" });
  const file = { ...await downloaded(path), path: at.at("gone") };
  const refuse = refuser("pull debian:12");
  const again = await storeDownloaded(at.context, at.folder, file, { refuse });
  assert.deepEqual({ sourceCompression: undefined, facts: undefined, ...again }, record);
  await fails(
    storeDownloaded(at.context, at.folder, file, { format: "vdi", refuse }),
    "already_exists",
    "Cannot pull debian:12: the same bytes are stored as raw, and this asks for vdi",
  );
});

Deno.test("a header that is not of the declared format is refused", async () => {
  await using at = await fixture();
  const raw = await writeRaw(at.at("disk.raw"));
  const qcow2 = await writeQcow2(at.at("disk.qcow2"));
  await qemuImg("create", "-q", "-f", "vdi", at.at("disk.vdi"), "1M");
  const invalid = "invalid_input";
  await refuses(at, raw, { format: "qcow2" }, invalid, "it is not a qcow2 image but a raw disk");
  await refuses(at, qcow2, { format: "raw" }, invalid, "it is not a raw disk but a qcow2 image");
  await refuses(at, qcow2, { format: "vmdk" }, invalid, "it is not a VMDK disk but a qcow2 image");
  await refuses(
    at,
    at.at("disk.vdi"),
    { format: "raw" },
    invalid,
    "it is not a raw disk but a VDI disk",
  );
  await Deno.writeFile(at.at("zeros"), new Uint8Array(1 << 20));
  await refuses(at, at.at("zeros"), { format: "vhdx" }, invalid, "it is not a VHDX disk");
  await refuses(at, at.at("zeros"), {}, invalid, "it is not a disk image");
  assert.equal(
    (await store(at, at.at("zeros"), { format: "raw" })).record.virtualSizeBytes,
    1 << 20,
  );
  await Deno.remove(files.disks(at.home), { recursive: true });
  await run("gzip", ["-k", raw]);
  const packed = { format: "raw", packing: "xz" } as const;
  await refuses(at, `${raw}.gz`, packed, invalid, "it is not packed as xz");
  await refuses(at, raw, packed, invalid, "it is not packed as xz");
});

Deno.test("disks that stand on others, or lie in other files, are refused", async () => {
  await using at = await fixture();
  const parent = "it stands on a parent disk, which could leak files of this host";
  const extents = "its descriptor names extents in other files";
  const base = at.at("base.vmdk");
  await qemuImg("create", "-q", "-f", "vmdk", base, "4M");
  const child = at.at("child.vmdk");
  await qemuImg("create", "-q", "-f", "vmdk", "-F", "vmdk", "-b", base, child);
  await refuses(at, child, {}, "denied", parent);
  await run("xz", ["-k", child]);
  await refuses(at, `${child}.xz`, {}, "denied", parent);

  for (const subformat of ["monolithicFlat", "twoGbMaxExtentSparse"]) {
    const path = at.at(`${subformat}.vmdk`);
    await qemuImg("create", "-q", "-f", "vmdk", "-o", `subformat=${subformat}`, path, "4M");
    const fact = "it is a VMDK descriptor, which names other files of this host";
    await refuses(at, path, {}, "denied", fact);
    await refuses(at, path, { format: "vmdk" }, "denied", fact);
  }
  const vmdk = await Deno.readFile(base);
  const changed = async (change: (bytes: Uint8Array<ArrayBuffer>) => void) => {
    const bytes = vmdk.slice();
    change(bytes);
    await Deno.writeFile(at.at("changed.vmdk"), bytes);
    return at.at("changed.vmdk");
  };
  const put = (bytes: Uint8Array, at: number, text: string) =>
    bytes.set(new TextEncoder().encode(text), at);
  const replace = (bytes: Uint8Array, from: string, to: string) => {
    const at = new TextDecoder("latin1").decode(bytes).indexOf(from);
    assert.ok(at > 0, from);
    put(bytes, at, to);
  };
  const empty = await changed((bytes) => bytes.fill(0, 12, 20));
  await refuses(at, empty, {}, "denied", extents);
  const flat = await changed((bytes) => replace(bytes, "SPARSE", "FLAT  "));
  await refuses(at, flat, {}, "denied", extents);
  const far = await changed((bytes) => replace(bytes, '"base.vmdk"', '"/etc/pass"'));
  await refuses(at, far, {}, "denied", extents);
  const two = await changed((bytes) =>
    replace(bytes, "\n# The Disk Data Base", '\nRW 9 FLAT "x" 0\n#\n')
  );
  await refuses(at, two, {}, "denied", extents);
  const other = await changed((bytes) => replace(bytes, "monolithicSparse", 'custom"\n#sparse"'));
  await refuses(at, other, {}, "denied", extents);
  const hinted = await changed((bytes) =>
    put(bytes, 512 + 9000, 'parentFileNameHint="/etc/passwd"')
  );
  await refuses(at, hinted, {}, "denied", parent);
  const identity = await changed((bytes) =>
    replace(bytes, "parentCID=ffffffff", "parentCID=12345678")
  );
  await refuses(at, identity, {}, "denied", parent);

  await qemuImg("create", "-q", "-f", "vdi", at.at("disk.vdi"), "4M");
  const vdi = await Deno.readFile(at.at("disk.vdi"));
  for (const [offset, value] of [[0x4c, 4], [0x4c, 3], [0x1a8, 1], [0x1b8, 1]] as const) {
    const bytes = vdi.slice();
    bytes[offset] = value;
    await Deno.writeFile(at.at("diff.vdi"), bytes);
    await refuses(at, at.at("diff.vdi"), {}, "denied", parent);
  }
  await qemuImg("create", "-q", "-f", "vhdx", at.at("disk.vhdx"), "4M");
  const vhdx = await Deno.readFile(at.at("disk.vhdx"));
  const metadata = new TextDecoder("latin1").decode(vhdx).indexOf("metadata");
  assert.ok(metadata > 0);
  const view = new DataView(vhdx.buffer);
  const parameters = metadata + view.getUint32(metadata + 32 + 16, true);
  view.setUint32(parameters + 4, 2, true);
  await Deno.writeFile(at.at("diff.vhdx"), vhdx);
  await refuses(at, at.at("diff.vhdx"), {}, "denied", parent);

  const backed = at.at("backed.qcow2");
  await qemuImg(
    "create",
    "-q",
    "-u",
    "-f",
    "qcow2",
    "-F",
    "raw",
    "-b",
    "/etc/passwd",
    backed,
    "1M",
  );
  const fact = 'it has a backing file ("/etc/passwd"), which could leak files of this host';
  await refuses(at, backed, { format: "qcow2" }, "denied", fact);
});

Deno.test("disks of other makers that are cut short are refused", async () => {
  await using at = await fixture();
  const raw = await writeRaw(at.at("disk.raw"), 3 << 20);
  for (const format of ["vmdk", "vhdx", "vdi"] as const) {
    const path = at.at(`disk.${format}`);
    await qemuImg("convert", "-f", "raw", "-O", format, raw, path);
    const { size } = await Deno.stat(path);
    // The end of a VHDX is room that this disk doesn't need.
    for (const length of [format === "vhdx" ? 9_000_000 : size - 500_000, size >> 1, 1000]) {
      await Deno.copyFile(path, at.at("cut"));
      await Deno.truncate(at.at("cut"), length);
      const error = await store(at, at.at("cut")).then(() => undefined, (thrown) => thrown);
      assert.equal(error?.code, "integrity", `${format} of ${length} bytes: ${error?.message}`);
      assert.deepEqual(await namesIn(files.disks(at.home)), []);
    }
  }
});
