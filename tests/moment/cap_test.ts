import assert from "node:assert/strict";
import { join } from "node:path";
import { setSetting } from "../../lib/config/set.ts";
import { capMemory } from "../../lib/moment/cap.ts";
import { listMoments } from "../../lib/moment/moment.ts";
import { momentFiles } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import { fixture } from "../image/fixture.ts";
import { placeMoment } from "./fixture.ts";

const MIB = 1 << 20;

Deno.test("beyond the cap the least used lose their memory, and never a disk", async () => {
  await using at = await fixture();
  const folders = {
    never: await placeMoment(at.context, "never", { cpus: 1 }, 4 * MIB),
    lately: await placeMoment(at.context, "lately", { cpus: 2 }, 4 * MIB),
    newest: await placeMoment(at.context, "newest", { cpus: 3 }, 4 * MIB),
  };
  await Deno.writeTextFile(join(folders.lately, momentFiles.used), "");
  const newest = (await listMoments(at.home)).find(({ id }) => id === "newest")!;

  await capMemory(at.context, newest);
  for (const folder of Object.values(folders)) {
    assert.ok((await namesIn(folder)).includes(momentFiles.ram), "20 GiB are enough for all");
  }
  await setSetting(at.context, "warmDiskGib", String(9 * MIB / 2 ** 30));
  await capMemory(at.context, newest);
  assert.deepEqual(await namesIn(folders.never), [momentFiles.disk, momentFiles.record]);
  assert.ok((await namesIn(folders.lately)).includes(momentFiles.ram));
  const freed = (await listMoments(at.home)).find(({ id }) => id === "never")!.record;
  assert.deepEqual([freed.failure, typeof freed.freedAt], [undefined, "string"]);

  await setSetting(at.context, "warmDiskGib", "0");
  await capMemory(at.context, newest);
  assert.ok(!(await namesIn(folders.lately)).includes(momentFiles.ram));
  assert.ok((await namesIn(folders.newest)).includes(momentFiles.ram), "the one just made stays");
});
