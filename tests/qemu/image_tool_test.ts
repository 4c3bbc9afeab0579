import assert from "node:assert/strict";
import { namesIn } from "../../lib/store/record.ts";
import { checkDisk, compareDisks, flatten } from "../../lib/qemu/image_tool.ts";
import { overlay } from "../image/fake_vm.ts";
import { fails, fixture, poke, qemuImg, writeQcow2 } from "../image/fixture.ts";

Deno.test("a chain becomes one disk with the same content", async () => {
  await using at = await fixture();
  await writeQcow2(at.at("base"), 1 << 20);
  await overlay(at.at("middle"), at.at("base"));
  await overlay(at.at("top"), at.at("middle"));
  await flatten(at.context, at.at("top"), at.at("small"), { compress: true });
  await flatten(at.context, at.at("top"), at.at("plain"), { compress: false });
  await Deno.remove(at.at("base"));
  await compareDisks(at.context, at.at("small"), at.at("plain"));
  for (const disk of ["small", "plain"]) {
    await checkDisk(at.context, at.at(disk));
    assert.equal(
      JSON.parse(await qemuImg("info", "--output=json", at.at(disk)))["backing-filename"],
      undefined,
    );
  }
});

Deno.test("a disk that breaks while it is flattened leaves nothing", async () => {
  await using at = await fixture();
  const disk = await writeQcow2(at.at("disk"), 1 << 20);
  // The first entry of the L2 table, which qemu-img writes after header, refcounts and L1.
  await poke(disk, 4 * 65_536, [0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
  await assert.rejects(flatten(at.context, disk, at.at("flat"), { compress: false }), {
    code: "tool_failed",
  });
  assert.deepEqual(await namesIn(at.folder), ["disk"]);
});

Deno.test("damage and differences are told of the file that has them", async () => {
  await using at = await fixture();
  const one = await writeQcow2(at.at("one"), 1 << 20, 1);
  const two = await writeQcow2(at.at("two"), 1 << 20, 2);
  await fails(
    compareDisks(at.context, one, two),
    "integrity",
    `Cannot use ${two}: qemu-img compare with one says "Content mismatch at offset 0!"`,
  );
  await poke(one, 2 * 65_536, [0, 0]);
  await fails(
    checkDisk(at.context, one),
    "integrity",
    `Cannot use ${one}: qemu-img check says "ERROR cluster 0 refcount=0 reference=1"`,
  );
  await Deno.remove(two);
  const missing = `qemu-img: Could not open '${two}': Could not open '${two}': ` +
    "No such file or directory";
  await fails(
    checkDisk(at.context, two),
    "integrity",
    `Cannot use ${two}: qemu-img check says "${missing}"`,
  );
});
