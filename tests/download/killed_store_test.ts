import assert from "node:assert/strict";
import { files } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import { nido } from "../helpers/command.ts";
import { serveImages } from "../helpers/image_server.ts";
import { runVictim } from "../helpers/victim.ts";
import { fixture, sha256, writeQcow2 } from "../image/fixture.ts";

// The steps before are those of other tests; a pull of this file takes about 120.
const FIRST_STEP = 44;
const STRIDE = 9;

Deno.test("image pull, killed at any step of its download or storing, heals when repeated", async () => {
  await using at = await fixture();
  const path = await writeQcow2(at.at("disk.qcow2"));
  const [bytes, digest] = [await Deno.readFile(path), await sha256(path)];
  await using server = serveImages({ "disk.qcow2": { bytes, etag: '"one"' } });
  const args = ["image", "pull", `${server.url("disk.qcow2")}@${digest}`, "--name", "it"];
  let kills = 0;
  for (let atStep = FIRST_STEP;; atStep += STRIDE) {
    const { signal, stderr } = await runVictim(at.home, args, { atStep });
    if (signal === null) break;
    kills++;
    const { code, stderr: told } = await nido(args, { home: at.home });
    assert.equal(code, 0, `${stderr}\n${told}`);
    assert.equal(await sha256(files.diskImage(at.home, digest)), digest, stderr);
    assert.deepEqual(await namesIn(files.downloads(at.home)), [], stderr);
    // Killed between a folder's end and its lock's: the lock is left to the next one who stages.
    const staged = (await namesIn(files.staging(at.home))).filter((name) => !/\.lock$/.test(name));
    assert.deepEqual(staged, [], stderr);
    assert.deepEqual(await namesIn(files.images(at.home)), ["it.json"], stderr);
    await nido(["image", "remove", "it"], { home: at.home });
    assert.deepEqual(await namesIn(files.disks(at.home)), [], stderr);
  }
  assert.ok(kills >= 6, `only ${kills} kills`);
});
