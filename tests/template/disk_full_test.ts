import assert from "node:assert/strict";
import { files } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import { exportTemplate } from "../../lib/template/export.ts";
import { importTemplate } from "../../lib/template/import.ts";
import { makeContext } from "../../lib/context.ts";
import { smallHome } from "../helpers/small_home.ts";
import { fails, writeQcow2 } from "../image/fixture.ts";
import { store, withDisk } from "./fixture.ts";

async function assertEmpty(home: string): Promise<void> {
  for (const folder of [files.templates(home), files.staging(home)]) {
    assert.deepEqual(await namesIn(folder), [], folder);
  }
}

Deno.test("a disk without room leaves no template and no file", async () => {
  await using at = await withDisk();
  const home = at.at("small");
  await using mounted = await smallHome(home);
  if (!mounted) return;
  const diskSource = await writeQcow2(at.at("large.qcow2"), 50 << 20);
  const small = Object.assign({}, at, { home, context: makeContext(home) });
  const error = await store(small, "web", { diskSource }).then(() => undefined, (e) => e);
  assert.deepEqual([error.code, error.message], [
    "exhausted",
    `Cannot flatten ${diskSource}: the disk filled up`,
  ]);
  await assertEmpty(home);

  await store(at, "web", { diskSource });
  const file = at.at("web.tar");
  await exportTemplate(at.context, { name: "web", file, force: false });
  const refusal = await importTemplate(small.context, { file, force: false }).catch((e) => e);
  assert.equal(refusal.code, "exhausted");
  assert.match(
    refusal.message,
    new RegExp(
      `^Cannot import ${file}: it needs 50(\\.\\d)? MiB and 2 MiB to spare, ` +
        `and ${home} has (39\\.\\d|39|40) MiB free$`,
    ),
  );
  await assertEmpty(home);

  const there = `${home}/web.tar`;
  await fails(
    exportTemplate(at.context, { name: "web", file: there, force: false }),
    "exhausted",
    `Cannot export template "web": there is no room for ${there}`,
  );
  assert.deepEqual((await namesIn(home)).filter((name) => name.includes("tar")), []);
});
