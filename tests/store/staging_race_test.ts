import assert from "node:assert/strict";
import { makeContext } from "../../lib/context.ts";
import { files } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import { sweepStaging, withStaging } from "../../lib/store/staging.ts";

Deno.test("a sweeper never takes a staging folder from a living maker", async () => {
  const home = await Deno.makeTempDir({ prefix: "nido-staging-" });
  const context = makeContext(home);
  let making = true;
  const sweeper = async () => {
    while (making) await sweepStaging(home);
  };
  const make = async () => {
    for (let round = 0; round < 40; round++) {
      await withStaging(context, async (folder) => {
        await Deno.writeTextFile(`${folder}/mine`, "1");
        assert.equal(await Deno.readTextFile(`${folder}/mine`), "1");
      });
    }
  };
  const sweepers = [sweeper(), sweeper()];
  try {
    await Promise.all([make(), make(), make(), make()]);
  } finally {
    making = false;
    await Promise.all(sweepers);
  }
  await sweepStaging(home);
  assert.deepEqual(await namesIn(files.staging(home)), []);
  await Deno.remove(home, { recursive: true });
});
