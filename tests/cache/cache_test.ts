import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import cacheInfo from "../../lib/cache/info.ts";
import cacheList from "../../lib/cache/list.ts";
import cachePrune from "../../lib/cache/prune.ts";
import cacheRemove from "../../lib/cache/remove.ts";
import type { CachedDisk } from "../../lib/cache/cache.ts";
import { imageLock, listImages, openImage } from "../../lib/image/image.ts";
import { importImage } from "../../lib/image/import.ts";
import removeImage from "../../lib/image/remove.ts";
import imageVerify from "../../lib/image/verify.ts";
import { pullImage } from "../../lib/image/pull_image.ts";
import { resolveImage } from "../../lib/image/resolve.ts";
import { files } from "../../lib/store/files.ts";
import { takeLock } from "../../lib/store/lock.ts";
import { namesIn, writeRecord } from "../../lib/store/record.ts";
import { standOn } from "../image/fake_vm.ts";
import { fails, poke, sha256, writeRaw } from "../image/fixture.ts";
import { type Place, place } from "../image/pull_place.ts";

const HOUR_MS = 3_600_000;

/** A home with two states of debian:12, the older one superseded, and an image that was imported. */
async function withStates() {
  const at = await place();
  const older = await at.publish("one.qcow2", 1);
  await at.offer("one.qcow2", older);
  await pullImage(at.context, "debian:12");
  const newer = await at.publish("two.qcow2", 2);
  await at.offer("two.qcow2", newer);
  await pullImage(at.context, "debian:12");
  const file = await writeRaw(at.at("own.img"), 1 << 20, 3);
  const own = (await importImage(at.context, { file, name: "own" })).image.digest;
  return { ...at, older, newer, own };
}

const list = async ({ context }: Place) =>
  (await cacheList.call(context, {})) as { disks: CachedDisk[]; totalBytes: number };
const digests = async (at: Place) => (await list(at)).disks.map(({ digest }) => digest).sort();
const later = (at: Place, hours: number) => ({
  ...at.context,
  now: () => new Date(Date.now() + hours * HOUR_MS),
});

Deno.test("the cache shows every stored disk, what means it and what it takes", async () => {
  await using at = await withStates();
  const { disks, totalBytes } = await list(at);
  const told = Object.fromEntries(
    disks.map(({ digest, images, state }) => [digest, [images, state]]),
  );
  assert.deepEqual(told, {
    [at.older]: [[], "ready"],
    [at.newer]: [["debian:12"], "ready"],
    [at.own]: [["own"], "ready"],
  });
  assert.equal(totalBytes, disks.reduce((sum, { diskBytes }) => sum + diskBytes, 0));
  assert.ok(totalBytes > 2 << 20);
  const info = await cacheInfo.call(at.context, { digest: at.older.slice(0, 20) });
  assert.deepEqual([info.digest, info.source], [at.older, at.server.url("one.qcow2")]);
  await fails(
    cacheInfo.call(at.context, { digest: "sha256:000000000000" }),
    "not_found",
    "No stored disk sha256:000000000000",
    "nido cache list",
  );
});

Deno.test("a stored disk goes only when no image means it and nothing stands on it", async () => {
  await using at = await withStates();
  const what = (digest: string) => `remove stored disk ${digest.slice(0, 19)}`;
  await fails(
    cacheRemove.call(at.context, { digest: at.newer }),
    "in_use",
    `Cannot ${what(at.newer)}: it is image debian:12`,
    "nido image remove debian:12",
  );
  await standOn(files.vm(at.home, "web"), at.home, at.older);
  await fails(
    cacheRemove.call(at.context, { digest: at.older }),
    "in_use",
    `Cannot ${what(at.older)}: in use by web`,
    "nido delete web",
  );
  await Deno.remove(files.vm(at.home, "web"), { recursive: true });
  const { freedBytes } = await cacheRemove.call(at.context, { digest: at.older });
  assert.ok(freedBytes as number > 1 << 20);
  assert.deepEqual(await digests(at), [at.newer, at.own].sort());
});

Deno.test("prune takes superseded disks and leaves what is named or stood on", async () => {
  await using at = await withStates();
  assert.deepEqual((await cachePrune.call(at.context, { dryRun: true })).wouldRemove, [at.older]);
  assert.deepEqual((await cachePrune.call(at.context, { keep: 2 })).removed, []);
  assert.deepEqual((await cachePrune.call(at.context, { olderThanHours: 1 })).removed, []);
  await standOn(files.vm(at.home, "web"), at.home, at.older);
  assert.deepEqual((await cachePrune.call(at.context, {})).removed, []);
  await Deno.remove(files.vm(at.home, "web"), { recursive: true });
  assert.deepEqual((await cachePrune.call(at.context, {})).removed, [at.older]);
  assert.deepEqual(await digests(at), [at.newer, at.own].sort());
});

Deno.test("with an age, pulled images go too, and never what was imported", async () => {
  await using at = await withStates();
  const month = later(at, 31 * 24);
  assert.deepEqual((await cachePrune.call(month, { olderThanHours: 720, keep: 1 })).removed, [
    at.older,
  ]);
  assert.deepEqual((await cachePrune.call(month, { olderThanHours: 720 })).removed, [at.newer]);
  assert.deepEqual(await digests(at), [at.own]);
  assert.deepEqual((await listImages(at.home)).map(({ name }) => name), ["own"]);
});

Deno.test("unfinished downloads are shown and pruned", async () => {
  await using at = await withStates();
  const digest = await at.publish("three.qcow2", 4);
  at.server.files["three.qcow2"]!.always = { drip: { bytes: 70_000, everyMs: 50 } };
  await at.offer("three.qcow2", digest);
  const gone = new AbortController();
  const context = {
    ...at.context,
    signal: gone.signal,
    report: ({ stage, done = 0 }: { stage: string; done?: number }) => {
      if (stage === "download" && done > 0) gone.abort();
    },
  };
  await assert.rejects(pullImage(context, "debian:12"));
  const { downloads } = await cacheList.call(at.context, {}) as {
    downloads: { key: string; label: string; busy: boolean }[];
  };
  assert.deepEqual(downloads.map(({ key, label, busy }) => [key, label, busy]), [
    [digest.replace(":", "-"), "debian:12", false],
  ]);
  const { removed } = await cachePrune.call(at.context, {});
  assert.deepEqual(removed, [at.older, digest.replace(":", "-")]);
  assert.deepEqual(await namesIn(files.downloads(at.home)), []);
});

Deno.test("a pulled image whose disk was lost is made whole by pulling it again", async () => {
  await using at = await withStates();
  await Deno.remove(files.disk(at.home, at.newer), { recursive: true });
  await fails(
    openImage(at.home, "debian:12"),
    "integrity",
    'Cannot use image "debian:12": its disk is missing',
    "nido image pull debian:12",
  );
  const { reused } = await pullImage(at.context, "debian:12");
  assert.equal(reused, false);
  assert.equal((await resolveImage(at.context, "debian:12")).image.digest, at.newer);
});

Deno.test("a digest that a name does not mean any more never removes what the name means now", async () => {
  await using at = await withStates();
  await fails(
    removeImage.call(at.context, { name: `debian:12@${at.older}` }),
    "not_found",
    `Cannot remove image "debian:12": it is not ${at.older} any more`,
    `nido cache remove ${at.older}`,
  );
  assert.equal((await openImage(at.home, "debian:12")).digest, at.newer);
  await removeImage.call(at.context, { name: `debian:12@${at.newer}` });
  assert.deepEqual(await digests(at), [at.older, at.own].sort());
});

Deno.test("what is pulled while a prune goes on is not what it removes", async () => {
  await using at = await withStates();
  const newest = await at.publish("three.qcow2", 3);
  await at.offer("three.qcow2", newest);
  const image = imageLock("debian:12");
  let pruning: Promise<Record<string, unknown>>;
  {
    using _lock = await takeLock(at.context, { what: image, doing: "pull" });
    pruning = cachePrune.call(later(at, 2), { olderThanHours: 1 });
    await delay(500); // it has looked, and waits for the image
    const record = JSON.parse(await Deno.readTextFile(files.image(at.home, "debian:12")));
    await writeRecord(files.image(at.home, "debian:12"), { ...record, digest: newest });
  }
  assert.deepEqual((await pruning).removed, [at.older]);
  assert.deepEqual(await namesIn(files.images(at.home)), ["debian:12.json", "own.json"]);
});

Deno.test("a disk that an unreadable image may mean stays, and is not said to be gone", async () => {
  await using at = await withStates();
  await Deno.writeTextFile(files.image(at.home, "torn"), "{");
  await fails(
    cacheRemove.call(at.context, { digest: at.older }),
    "in_use",
    `Cannot remove stored disk ${at.older.slice(0, 19)}: image "torn" can't be read, and may be it`,
    "nido image remove torn",
  );
  assert.deepEqual((await cachePrune.call(at.context, {})).removed, []);
  await removeImage.call(at.context, { name: "torn" });
  assert.deepEqual((await cachePrune.call(at.context, {})).removed, [at.older]);
});

/** Gives the newer state of debian:12 a second name, under which it was pulled too. */
async function withTwoNames() {
  const at = await withStates();
  await pullImage(at.context, `${at.server.url("two.qcow2")}@${at.newer}`, { name: "copy" });
  return at;
}

Deno.test("a disk with two names goes with both", async () => {
  await using at = await withTwoNames();
  const { removed, freedBytes } = await cachePrune.call(later(at, 2), { olderThanHours: 1 });
  assert.deepEqual([removed].flat().sort(), [at.newer, at.older].sort());
  assert.ok(freedBytes as number > 2 << 20);
  assert.deepEqual(await namesIn(files.images(at.home)), ["own.json"]);
  assert.deepEqual(await digests(at), [at.own]);
});

Deno.test("a disk with two names of which one was imported stays", async () => {
  await using at = await withStates();
  const file = at.at("copy.qcow2");
  await Deno.writeFile(file, at.server.files["two.qcow2"]!.bytes);
  await importImage(at.context, { file, name: "copy" });
  assert.deepEqual((await cachePrune.call(later(at, 2), { olderThanHours: 1 })).removed, [
    at.older,
  ]);
  assert.deepEqual(await namesIn(files.images(at.home)), [
    "copy.json",
    "debian:12.json",
    "own.json",
  ]);
});

Deno.test("a disk that is used by the time it would go keeps both its names", async () => {
  await using at = await withTwoNames();
  let pruning: Promise<Record<string, unknown>>;
  {
    using _lock = await takeLock(at.context, { what: imageLock("debian:12"), doing: "pull" });
    pruning = cachePrune.call(later(at, 2), { olderThanHours: 1 });
    await delay(500); // it has looked, and waits for the second name
    await standOn(files.vm(at.home, "web"), at.home, at.newer);
  }
  assert.deepEqual((await pruning).removed, [at.older]);
  assert.deepEqual(await namesIn(files.images(at.home)), [
    "copy.json",
    "debian:12.json",
    "own.json",
  ]);
});

Deno.test("while an image can't be read no name goes, and a dry run tells the same", async () => {
  await using at = await withTwoNames();
  await Deno.writeTextFile(files.image(at.home, "torn"), "{");
  const names = await namesIn(files.images(at.home));
  for (const dryRun of [true, false]) {
    assert.deepEqual(await cachePrune.call(later(at, 2), { olderThanHours: 1, dryRun }), {
      removed: [],
      wouldRemove: [],
      freedBytes: 0,
    });
  }
  assert.deepEqual(await namesIn(files.images(at.home)), names);
  assert.deepEqual(await digests(at), [at.newer, at.older, at.own].sort());
});

Deno.test("the newest state of each of its names is kept", async () => {
  await using at = await withStates();
  await pullImage(at.context, `${at.server.url("one.qcow2")}@${at.older}`, { name: "z-copy" });
  await at.offer("one.qcow2", at.older);
  await pullImage(at.context, "debian:12");
  const kept = await cachePrune.call(later(at, 2), { olderThanHours: 1, keep: 1 });
  assert.deepEqual(kept.removed, []);
});

Deno.test("the commands for a damaged disk of the same length make it whole", async () => {
  await using at = await withStates();
  const damage = async (digest: string) => {
    const disk = files.diskImage(at.home, digest);
    await Deno.chmod(disk, 0o600);
    await poke(disk, 300_000, [1, 2, 3, 4]);
    return `Image "debian:12" is damaged: its disk's digest is ${await sha256(
      disk,
    )}, and was ${digest}`;
  };
  const [older, newer] = [await damage(at.older), await damage(at.newer)];
  await fails(
    imageVerify.call(at.context, { name: `debian:12@${at.older}` }),
    "integrity",
    older,
    `nido cache remove ${at.older}`,
  );
  await fails(
    imageVerify.call(at.context, { name: "debian:12" }),
    "integrity",
    newer,
    "nido image remove debian:12, then nido image pull debian:12",
  );
  await removeImage.call(at.context, { name: "debian:12" });
  assert.equal((await pullImage(at.context, "debian:12")).reused, false);
  await imageVerify.call(at.context, { name: "debian:12" });
});

Deno.test("a file that somebody left among the disks is no stored disk", async () => {
  await using at = await withStates();
  await Deno.writeTextFile(join(files.disks(at.home), ".DS_Store"), "");
  assert.deepEqual(await digests(at), [at.newer, at.older, at.own].sort());
  assert.equal((await cacheInfo.call(at.context, { digest: at.own.slice(7, 27) })).digest, at.own);
});
