import assert from "node:assert/strict";
import { join } from "node:path";
import { importImage } from "../../lib/image/import.ts";
import { holdDisk } from "../../lib/image/hold.ts";
import imageList from "../../lib/image/list.ts";
import imageInfo from "../../lib/image/info.ts";
import { diskLock } from "../../lib/image/image.ts";
import removeOperation, { removeImage } from "../../lib/image/remove.ts";
import { diskUsers } from "../../lib/image/users.ts";
import { unusedDisks } from "../../lib/image/unused_disks.ts";
import { files } from "../../lib/store/files.ts";
import { takeLock, tryLockFile } from "../../lib/store/lock.ts";
import { namesIn } from "../../lib/store/record.ts";
import { overlay, standOn } from "./fake_vm.ts";
import { fails, fixture, writeRaw } from "./fixture.ts";

async function withImage() {
  const at = await fixture();
  const file = await writeRaw(at.at("debian.img"));
  return Object.assign(at, { file, image: (await importImage(at.context, { file })).image });
}

Deno.test("removing an image frees its disk", async () => {
  await using at = await withImage();
  const removed = await removeOperation.call(at.context, { name: "debian" });
  assert.deepEqual([removed.name, removed.digest], ["debian", at.image.digest]);
  assert.ok(removed.freedBytes as number >= 1 << 20);
  for (const folder of ["images", "disks", "staging"]) {
    assert.deepEqual(await namesIn(join(at.home, folder)), [], folder);
  }
});

Deno.test("an image that VMs stand on stays, and they are named", async () => {
  await using at = await withImage();
  for (const name of ["b", "a"]) await standOn(files.vm(at.home, name), at.home, at.image.digest);
  const remove = () => removeImage(at.context, "debian");
  const message = (users: string) => `Cannot remove image "debian": in use by ${users}`;
  await fails(remove(), "in_use", message("a, b"), "nido delete a b");
  assert.ok((await Deno.stat(at.image.diskPath)).isFile);
  const shown = await imageInfo.call(at.context, { name: "debian" });
  assert.deepEqual(shown.usedBy, ["a", "b"]);
  await Deno.remove(files.vm(at.home, "a"), { recursive: true });
  await fails(remove(), "in_use", message("b"));
  await Deno.remove(files.vm(at.home, "b"), { recursive: true });
  await remove();
});

Deno.test("the overlays tell who the users are, whatever the records say", async () => {
  await using at = await withImage();
  const { digest } = at.image;
  const other = "sha256:" + "0".repeat(64);
  const vm = (name: string) => files.vm(at.home, name);
  await standOn(vm("broken-record"), at.home, digest, "{");
  await standOn(vm("lying-record"), at.home, digest, JSON.stringify({ image: { digest: other } }));
  await overlay(join(vm("elsewhere"), "base.qcow2"), at.image.diskPath);
  await overlay(join(vm("layered"), "disk.qcow2"), join(vm("elsewhere"), "base.qcow2"));
  await Deno.mkdir(vm("unreadable"));
  await Deno.writeTextFile(join(vm("unreadable"), "vm.json"), "{");
  await Deno.mkdir(vm("lost-disk"));
  await Deno.writeTextFile(join(vm("lost-disk"), "vm.json"), JSON.stringify({ image: { digest } }));
  await Deno.mkdir(vm("other"));
  await Deno.writeTextFile(
    join(vm("other"), "vm.json"),
    JSON.stringify({ image: { digest: other } }),
  );
  await Deno.remove(vm("elsewhere"), { recursive: true });
  assert.deepEqual(await diskUsers(at.home, digest), [
    "broken-record",
    "lost-disk",
    "lying-record",
    "unreadable",
  ]);
  await overlay(join(vm("elsewhere"), "base.qcow2"), at.image.diskPath);
  const users = await diskUsers(at.home, digest);
  assert.ok(users.includes("elsewhere") && users.includes("layered"), users.join());
  // What only exists as a record about another disk, or as an unreadable folder:
  assert.deepEqual(await diskUsers(at.home, other), ["other", "unreadable"]);
});

Deno.test("a VM that is being made counts while its maker lives", async () => {
  await using at = await withImage();
  const folder = join(files.staging(at.home), "1234");
  const lock = await tryLockFile(`${folder}.lock`, "build");
  await standOn(folder, at.home, at.image.digest, JSON.stringify({ name: "newborn" }));
  await fails(
    removeImage(at.context, "debian"),
    "in_use",
    'Cannot remove image "debian": in use by newborn',
  );
  lock![Symbol.dispose]();
  await removeImage(at.context, "debian");
});

Deno.test("a removal waits for a spawn that holds the disk, and then sees its VM", async () => {
  await using at = await withImage();
  const lock = await holdDisk(at.context, at.image, "spawn");
  let settled = false;
  const removal = removeImage(at.context, "debian").catch((error) => error);
  removal.finally(() => settled = true);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(settled, false);
  await standOn(files.vm(at.home, "fresh"), at.home, at.image.digest);
  lock[Symbol.dispose]();
  assert.equal((await removal).message, 'Cannot remove image "debian": in use by fresh');
});

Deno.test("a disk that was removed since it was resolved can't be held", async () => {
  await using at = await withImage();
  (await holdDisk(at.context, at.image, "spawn"))[Symbol.dispose]();
  await removeImage(at.context, "debian");
  await fails(
    holdDisk(at.context, at.image, 'spawn VM "dev"'),
    "not_found",
    'Cannot spawn VM "dev": image "debian" was removed or replaced',
    "nido images",
  );
  (await takeLock(at.context, { what: diskLock(at.image.digest), doing: "look" }))
    [Symbol.dispose]();
});

Deno.test("a disk with two names stays until the last one goes", async () => {
  await using at = await withImage();
  await importImage(at.context, { file: at.file, name: "second" });
  await importImage(at.context, { file: at.file, name: "third" });
  assert.equal((await removeImage(at.context, "debian")).freedBytes, 0);
  assert.ok((await Deno.stat(at.image.diskPath)).isFile);
  await standOn(files.vm(at.home, "vm"), at.home, at.image.digest);
  assert.equal((await removeImage(at.context, "third")).freedBytes, 0);
  await fails(
    removeImage(at.context, "second"),
    "in_use",
    'Cannot remove image "second": in use by vm',
  );
  assert.deepEqual(await unusedDisks(at.home), []);
});

Deno.test("broken images are listed, don't hide others, and can be removed", async () => {
  await using at = await withImage();
  await Deno.writeTextFile(files.image(at.home, "torn"), '{"schemaVersion":1,');
  await Deno.writeTextFile(files.image(at.home, "future"), '{"schemaVersion":2}');
  const record = JSON.parse(await Deno.readTextFile(files.image(at.home, "debian")));
  record.digest = "sha256:" + "1".repeat(64);
  record.name = "lost";
  await Deno.writeTextFile(files.image(at.home, "lost"), JSON.stringify(record));
  const { images } = await imageList.call(at.context, {}) as {
    images: { name: string; state: string; problems: string[] }[];
  };
  assert.deepEqual(images.map(({ name, state, problems }) => [name, state, ...problems]), [
    ["debian", "ready"],
    [
      "future",
      "broken",
      `Cannot read ${files.image(at.home, "future")}: its schemaVersion is 2, this Nido knows 1`,
    ],
    ["lost", "broken", 'Cannot use image "lost": its disk is missing'],
    ["torn", "broken", `Cannot read ${files.image(at.home, "torn")}: it is not JSON`],
  ]);
  for (const name of ["torn", "future", "lost"]) await removeImage(at.context, name);
  assert.deepEqual(await namesIn(files.images(at.home)), ["debian.json"]);
});

Deno.test("unknown and illegal names are not found, and never a path", async () => {
  await using at = await withImage();
  const cases: [string, string][] = [
    ["debain", 'No image "debain"; the nearest is "debian"'],
    ["../../etc/passwd", 'No image "../../etc/passwd"'],
    ["", 'No image ""'],
    ["x".repeat(65), `No image "${"x".repeat(65)}"`],
  ];
  for (const [name, message] of cases) {
    await fails(removeImage(at.context, name), "not_found", message, "nido images");
  }
  const info = (name: string) => imageInfo.call(at.context, { name });
  await fails(info("debain"), "not_found", cases[0]![1], "nido image search");
  await fails(
    info("../../etc/passwd"),
    "invalid_input",
    'Cannot use image reference "../../etc/passwd": a name has a-z 0-9 . _ - and one colon before ' +
      "the version",
  );
});
