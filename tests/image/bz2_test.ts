import assert from "node:assert/strict";
import { run } from "../../lib/host/process.ts";
import { importImage } from "../../lib/image/import.ts";
import { bootableBytes, fails, fixture, poke, qemuImg, sha256, writeRaw } from "./fixture.ts";

Deno.test("a .bz2 of several members and blocks is read to its end", async () => {
  await using at = await fixture();
  const raw = await writeRaw(at.at("disk.raw"), 400_000);
  await Deno.writeFile(raw, new Uint8Array(1 << 20), { append: true });
  await run("bzip2", ["-k1", raw]);
  await Deno.writeFile(at.at("more.raw"), bootableBytes(100_352, 2));
  await run("bzip2", ["-k9", at.at("more.raw")]);
  const file = at.at("two.raw.bz2");
  for (const name of ["disk.raw", "more.raw"]) {
    await Deno.writeFile(file, await Deno.readFile(at.at(`${name}.bz2`)), { append: true });
    await Deno.writeFile(at.at("two.raw"), await Deno.readFile(at.at(name)), { append: true });
  }
  const { image } = await importImage(at.context, { file });
  assert.equal(image.digest, await sha256(file));
  assert.deepEqual([image.disk.sourceFormat, image.disk.sourceCompression], ["raw", "bz2"]);
  await qemuImg("compare", "-f", "raw", "-F", "qcow2", at.at("two.raw"), image.diskPath);
});

Deno.test("a .bz2 that is cut short, damaged or followed by something is refused", async () => {
  await using at = await fixture();
  await run("bzip2", ["-1", await writeRaw(at.at("disk.raw"), 250_000)]);
  const whole = await Deno.readFile(at.at("disk.raw.bz2"));
  const file = at.at("bad.bz2");
  const refused = async () => {
    const fact = `Cannot import ${file}: its bz2 data is corrupt or cut short`;
    await fails(importImage(at.context, { file }), "integrity", fact);
  };
  for (const lost of [1, 4, 10, 5000, whole.length >> 1, whole.length - 20]) {
    await Deno.writeFile(file, whole.slice(0, whole.length - lost));
    await refused();
  }
  await Deno.writeFile(file, whole);
  await poke(file, whole.length >> 1, [whole[whole.length >> 1]! ^ 0xff]);
  await refused();
  await Deno.writeFile(file, new Uint8Array([...whole, 1, 2, 3, 4, 5, 6, 7, 8]));
  await refused();
});
