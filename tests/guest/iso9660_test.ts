import assert from "node:assert/strict";
import { join } from "node:path";
import { run } from "../../lib/host/process.ts";
import { writeIso } from "../../lib/guest/iso9660.ts";

const modifiedAt = new Date("2024-02-29T12:34:56Z");

function bytes(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >> 8)) & 255);
}

const files = [
  { name: "user-data", content: bytes(100 * 1024) },
  { name: "meta-data", content: bytes(2047) },
  { name: "empty", content: bytes(0) },
  { name: "vendor-data", content: bytes(2048) },
  { name: "Network.Config_v2-with-a-name-of-fifty-characters-x", content: bytes(2049) },
  { name: "one", content: bytes(1) },
];

async function withImage(use: (path: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "nido-iso-" });
  try {
    const path = join(folder, "seed.iso");
    await Deno.writeFile(path, writeIso({ label: "CIDATA", files, modifiedAt }));
    await use(path, folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function told(program: string, args: string[]): Promise<string> {
  const { stdout, stderr } = await run(program, args);
  return new TextDecoder().decode(stdout) + stderr;
}

Deno.test("isoinfo reads label, exact names and every byte", async () => {
  await withImage(async (path) => {
    const header = await told("isoinfo", ["-d", "-i", path]);
    assert.match(header, /^Volume id: CIDATA$/m);
    assert.match(header, /Joliet with UCS level 3 found/);
    const names = (await told("isoinfo", ["-f", "-J", "-i", path])).trim().split("\n").sort();
    assert.deepEqual(names, files.map(({ name }) => `/${name}`).sort());
    for (const { name, content } of files) {
      const { stdout } = await run("isoinfo", ["-J", "-i", path, "-x", `/${name}`]);
      assert.deepEqual(stdout, content, name);
    }
    const plain = await run("isoinfo", ["-i", path, "-x", "/META_DATA.;1"]);
    assert.deepEqual(plain.stdout, bytes(2047));
    const listing = await told("isoinfo", ["-l", "-J", "-i", path]);
    assert.match(listing, /102400 Feb 29 2024 .* user-data/);
  });
});

Deno.test("xorriso extracts every byte", async () => {
  await withImage(async (path, folder) => {
    const out = join(folder, "out");
    const found = await told("xorriso", ["-indev", path, "-osirrox", "on", "-extract", "/", out]);
    assert.match(found, /Volume id {4}: 'CIDATA'/);
    for (const { name, content } of files) {
      assert.deepEqual(await Deno.readFile(join(out, name)), content, name);
    }
  });
});

Deno.test("the same input gives the same image, in whole sectors", () => {
  const image = writeIso({ label: "CIDATA", files, modifiedAt });
  assert.deepEqual(writeIso({ label: "CIDATA", files, modifiedAt: new Date(modifiedAt) }), image);
  assert.equal(image.length % 2048, 0);
});

Deno.test("labels and names that the format can't hold are refused", () => {
  const write = (label: string, ...names: string[]) => () =>
    writeIso({ label, files: names.map((name) => ({ name, content: bytes(1) })), modifiedAt });
  assert.throws(write("cidata"), new RangeError("not a volume label: cidata"));
  assert.throws(write("CIDATA", "../x"), new RangeError("not a file name: ../x"));
  assert.throws(
    write("CIDATA", "a-b", "A_B"),
    new RangeError("two file names are the same in upper case"),
  );
});
