import assert from "node:assert/strict";
import { join } from "node:path";
import {
  frozenLayer,
  imageDisk,
  momentsOn,
  templateDisks,
  usersOfLayers,
} from "../../lib/image/users.ts";
import { importImage } from "../../lib/image/import.ts";
import { removeImage } from "../../lib/image/remove.ts";
import { files, momentFiles, vmFiles } from "../../lib/store/files.ts";
import { tryLockFile } from "../../lib/store/lock.ts";
import { namesIn, removeIfThere } from "../../lib/store/record.ts";
import { deleteTemplate } from "../../lib/template/delete.ts";
import templateInfo from "../../lib/template/info.ts";
import { overlay } from "../image/fake_vm.ts";
import { fails, type Fixture, fixture, writeRaw } from "../image/fixture.ts";
import { cloneOf, store, withTemplate } from "./fixture.ts";

/** A moment's folder as far as disks care. */
async function moment(at: Fixture, id: string, base: string, record: unknown): Promise<string> {
  const folder = files.moment(at.home, id);
  await overlay(join(folder, momentFiles.disk), base);
  await Deno.writeTextFile(join(folder, momentFiles.record), JSON.stringify(record));
  return join(folder, momentFiles.disk);
}

Deno.test("clones are found through every layer, and only those of this template", async () => {
  await using at = await withTemplate();
  const other = await store(at, "web-2");
  const { diskPath } = at.template;
  await cloneOf(at.home, "direct", diskPath);
  await cloneOf(at.home, "stranger", other.diskPath);
  await overlay(files.layer(at.home, "l1"), diskPath);
  await cloneOf(at.home, "layered", files.layer(at.home, "l1"));
  const warm = await moment(at, "w1", diskPath, { kind: "warm" });
  await cloneOf(at.home, "hatched", warm);
  await overlay(files.layer(at.home, "idle"), diskPath);
  const users = () => usersOfLayers(at.home, templateDisks(at.home, "web"));
  assert.deepEqual(await users(), ["direct", "hatched", "layered"]);
  assert.deepEqual(await usersOfLayers(at.home, frozenLayer(at.home, "l1")), ["layered"]);
  assert.deepEqual(await usersOfLayers(at.home, frozenLayer(at.home, "idle")), []);
  assert.deepEqual((await templateInfo.call(at.context, { name: "web" })).usedBy, await users());
  await fails(
    deleteTemplate(at.context, "web"),
    "in_use",
    'Cannot delete template "web": in use by direct, hatched, layered',
    "nido delete direct hatched layered",
  );
});

Deno.test("a second disk of a VM counts, and one that is being made", async () => {
  await using at = await withTemplate();
  await overlay(join(files.vm(at.home, "dev"), vmFiles.disk), at.at("base.qcow2"));
  const users = () => usersOfLayers(at.home, templateDisks(at.home, "web"));
  assert.deepEqual(await users(), []);
  await overlay(join(files.vm(at.home, "dev"), "disk-2.qcow2"), at.template.diskPath);
  assert.deepEqual(await users(), ["dev"]);
  const folder = join(files.staging(at.home), "1234");
  using _lock = await tryLockFile(`${folder}.lock`, "build");
  await overlay(join(folder, "disk-1.qcow2"), at.template.diskPath);
  await Deno.writeTextFile(join(folder, vmFiles.record), JSON.stringify({ name: "newborn" }));
  assert.deepEqual(await users(), ["dev", "newborn"]);
});

Deno.test("a moment is named only where no VM explains it, a warm one never", async () => {
  await using at = await withTemplate();
  const { diskPath } = at.template;
  const meant = templateDisks(at.home, "web");
  await moment(at, "warm-1", diskPath, { kind: "warm" });
  const stood = await moment(at, "warm-2", diskPath, { kind: "warm" });
  await moment(at, "snap-1", stood, { kind: "snapshot", vm: "dev" });
  await moment(at, "lost-1", diskPath, { kind: "snapshot", vm: "gone" });
  const forked = await moment(at, "fork-1", diskPath, { kind: "snapshot", vm: "gone" });
  await cloneOf(at.home, "child", forked);
  await cloneOf(at.home, "dev", stood);
  assert.deepEqual(await usersOfLayers(at.home, meant), ["child", "dev", "moment lost-1"]);
  assert.deepEqual(await momentsOn(at.home, meant), [
    { id: "fork-1", isWarm: false, isStoodOn: true },
    { id: "lost-1", isWarm: false, isStoodOn: false },
    { id: "snap-1", isWarm: false, isStoodOn: false },
    { id: "warm-1", isWarm: true, isStoodOn: false },
    { id: "warm-2", isWarm: true, isStoodOn: true },
  ]);
  await fails(
    deleteTemplate(at.context, "web"),
    "in_use",
    'Cannot delete template "web": in use by child, dev, moment lost-1',
    "nido delete child dev",
  );
  assert.equal((await namesIn(files.moments(at.home))).length, 5);
});

Deno.test("warm states go with their template", async () => {
  await using at = await withTemplate();
  await moment(at, "w1", at.template.diskPath, { kind: "warm" });
  const other = await moment(at, "w2", (await store(at, "other")).diskPath, { kind: "warm" });
  await deleteTemplate(at.context, "web");
  assert.deepEqual(await namesIn(files.moments(at.home)), ["w2"]);
  await store(at, "other", { force: true });
  await assert.rejects(Deno.stat(other), Deno.errors.NotFound);
  for (const folder of [files.moments(at.home), files.staging(at.home)]) {
    assert.deepEqual(await namesIn(folder), []);
  }
});

Deno.test("warm states go with their image", async () => {
  await using at = await fixture();
  const { image } = await importImage(at.context, { file: await writeRaw(at.at("debian.img")) });
  const warm = await moment(at, "w1", image.diskPath, { kind: "warm" });
  await cloneOf(at.home, "dev", warm);
  assert.deepEqual(await usersOfLayers(at.home, imageDisk(at.home, image.digest)), ["dev"]);
  await fails(
    removeImage(at.context, "debian"),
    "in_use",
    'Cannot remove image "debian": in use by dev',
  );
  await removeIfThere(files.vm(at.home, "dev"));
  await removeImage(at.context, "debian");
  for (const folder of ["moments", "disks", "staging"]) {
    assert.deepEqual(await namesIn(join(at.home, folder)), [], folder);
  }
});
