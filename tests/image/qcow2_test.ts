import assert from "node:assert/strict";
import { parseQcow2, Qcow2Fault, readQcow2 } from "../../lib/image/qcow2.ts";
import { fixture, poke, qemuImg, writeQcow2 } from "./fixture.ts";

Deno.test("a header tells what qemu-img made", async () => {
  await using at = await fixture();
  const make = async (name: string, ...options: string[]) => {
    await qemuImg("create", "-q", "-f", "qcow2", ...options, at.at(name), "64M");
    return await readQcow2(at.at(name));
  };
  const plain = await make("plain");
  assert.deepEqual(plain, {
    version: 3,
    virtualSizeBytes: 64 * 1024 ** 2,
    clusterSizeBytes: 65536,
    backingFile: undefined,
    externalData: undefined,
    encryption: undefined,
    compression: "zlib",
    snapshots: 0,
    extendedL2: false,
    dirty: false,
    corrupt: false,
    bitmaps: false,
    unknownFeatures: [],
    tablesEndBytes: plain.tablesEndBytes,
  });
  assert.equal((await make("v2", "-o", "compat=0.10")).version, 2);
  assert.equal((await make("big", "-o", "cluster_size=2M")).clusterSizeBytes, 2 * 1024 ** 2);
  assert.equal((await make("l2", "-o", "extended_l2=on")).extendedL2, true);
  assert.equal((await make("zstd", "-o", "compression_type=zstd")).compression, "zstd");
  assert.deepEqual((await make("data", "-o", `data_file=${at.at("d.raw")}`)).externalData, {
    file: at.at("d.raw"),
  });
  const backed = await make("backed", "-F", "qcow2", "-b", at.at("plain"));
  assert.equal(backed.backingFile, at.at("plain"));
});

Deno.test("snapshots, bitmaps and marks in a header are seen", async () => {
  await using at = await fixture();
  const path = await writeQcow2(at.at("disk"));
  await qemuImg("snapshot", "-c", "one", path);
  assert.equal((await readQcow2(path)).snapshots, 1);
  await qemuImg("bitmap", "--add", path, "b0");
  assert.equal((await readQcow2(path)).bitmaps, true);
  await poke(path, 79, [0b11]);
  const marked = await readQcow2(path);
  assert.deepEqual([marked.dirty, marked.corrupt], [true, true]);
});

Deno.test("every cut and every flipped byte of a header gives an answer or a Qcow2Fault", async () => {
  await using at = await fixture();
  const head = (await Deno.readFile(await writeQcow2(at.at("disk")))).subarray(0, 1024);
  let faults = 0;
  const parse = (bytes: Uint8Array) => {
    try {
      parseQcow2(bytes);
    } catch (error) {
      assert.ok(error instanceof Qcow2Fault, String(error));
      faults++;
    }
  };
  for (let length = 0; length < 112; length++) parse(head.slice(0, length));
  assert.equal(faults, 112);
  for (let index = 0; index < head.length; index++) {
    for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
      const changed = head.slice();
      changed[index] = value;
      parse(changed);
    }
  }
});
