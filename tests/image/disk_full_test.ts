import assert from "node:assert/strict";
import { makeContext } from "../../lib/context.ts";
import { NidoError } from "../../lib/errors.ts";
import { run } from "../../lib/host/process.ts";
import { importImage } from "../../lib/image/import.ts";
import { namesIn } from "../../lib/store/record.ts";
import { smallHome } from "../helpers/small_home.ts";
import { fixture, writeRaw } from "./fixture.ts";

async function refusal(home: string, file: string): Promise<string> {
  const error = await importImage(makeContext(home), { file }).then(() => undefined, (e) => e);
  assert.ok(error instanceof NidoError, String(error));
  assert.equal(error.code, "exhausted");
  for (const folder of ["images", "disks", "staging"]) {
    assert.deepEqual(await namesIn(`${home}/${folder}`), [], folder);
  }
  return error.message;
}

Deno.test("a disk without room refuses with the arithmetic and is left as it was", async () => {
  await using at = await fixture();
  const home = at.at("small");
  await using mounted = await smallHome(home);
  if (!mounted) return;
  const known = await writeRaw(at.at("known.img"), 50 << 20);
  assert.match(
    await refusal(home, known),
    new RegExp(
      `^Cannot import ${known}: it needs 50 MiB and 2 MiB to spare, ` +
        `and ${home} has (39\\.\\d|39|40) MiB free$`,
    ),
  );
  // Unpacked, it is larger than what can be known beforehand.
  const bytes = new Uint8Array(64 << 20).fill(7);
  bytes.set([0x55, 0xaa], 510);
  await Deno.writeFile(at.at("bomb.img"), bytes);
  await run("gzip", ["-1", at.at("bomb.img")]);
  assert.match(
    await refusal(home, at.at("bomb.img.gz")),
    new RegExp(
      `^Cannot import ${at.at("bomb.img.gz")}: ${home} has no room for it: ` +
        `3\\d(\\.\\d)? MiB is copied and \\d(\\.\\d)? MiB is left there$`,
    ),
  );
  // The copy fits; the conversion beside it does not.
  const tight = await writeRaw(at.at("tight.img"), 25 << 20);
  assert.equal(
    await refusal(home, tight),
    `Cannot import ${tight}: the disk filled up while it was converted`,
  );
});
