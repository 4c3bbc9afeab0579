import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../lib/context.ts";
import { partialDownloads, removePartial, withDownload } from "../../lib/download/download.ts";
import { downloadLock } from "../../lib/download/partial.ts";
import { NidoError } from "../../lib/errors.ts";
import { files } from "../../lib/store/files.ts";
import { takeLock } from "../../lib/store/lock.ts";
import { namesIn } from "../../lib/store/record.ts";
import { type Fault, serveImages } from "../helpers/image_server.ts";
import { smallHome } from "../helpers/small_home.ts";
import {
  assertBytes,
  assertNothingLeft,
  fails,
  place,
  published,
  pull,
  QUICK,
  take,
} from "./fixture.ts";

const SIZE = 1_000_000;
const ONCE = { retries: { failures: 0 } };

/** A pull of which 300,000 bytes have come. */
async function interrupted(etag?: string) {
  const at = await place();
  const { bytes, digest } = await published(SIZE);
  const faults: Fault[] = [{ dropAfter: 300_000 }];
  const server = serveImages({ disk: { bytes, faults, etag } });
  const url = server.url("disk");
  await fails(pull(at, url, digest, ONCE), "unavailable", /error reading a body/);
  return {
    at,
    bytes,
    digest,
    server,
    url,
    key: digest.replace(":", "-"),
    folder: files.download(at.home, digest.replace(":", "-")),
    ranges: () => server.seen.slice(1).map(({ range }) => range),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await at[Symbol.asyncDispose]();
    },
  };
}

Deno.test("interrupted downloads are listed, and removed unless somebody is at them", async () => {
  await using it = await interrupted();
  const { context, home } = it.at;
  const [{ modifiedAt, ...partial }, ...others] = await partialDownloads(home) as [
    Awaited<ReturnType<typeof partialDownloads>>[0],
  ];
  assert.deepEqual(others, []);
  assert.ok(Math.abs(Date.parse(modifiedAt) - Date.now()) < 60_000);
  assert.deepEqual(partial, {
    key: it.key,
    label: "debian:12",
    sizeBytes: 300_000,
    totalBytes: SIZE,
    busy: false,
  });
  {
    using _held = await takeLock(context, { what: downloadLock(it.key), doing: "test" });
    assert.deepEqual((await partialDownloads(home)).map(({ busy }) => busy), [true]);
    const message = `Cannot remove the download ${it.key}: a process is at it`;
    await fails(removePartial(context, it.key), "busy", message);
  }
  assert.equal(await removePartial(context, it.key), 300_000);
  await assertNothingLeft(it.at);
});

Deno.test("a key that is none reaches no file", async () => {
  await using at = await place();
  await fails(removePartial(at.context, "../images"), "not_found", 'No download "../images"');
  await Deno.mkdir(join(files.downloads(at.home), "sha256-zz"), { recursive: true });
  assert.deepEqual(await partialDownloads(at.home), []);
});

Deno.test("what nobody resumed for a week is swept by the next download", async () => {
  await using it = await interrupted();
  const other = await published(SIZE, 2);
  it.server.files.other = { bytes: other.bytes };
  await pull(it.at, it.server.url("other"), other.digest);
  assert.deepEqual(await namesIn(files.downloads(it.at.home)), [it.key]);
  const old = new Date(Date.now() - 7 * 24 * 3600 * 1000 - 1000);
  await Deno.utime(join(it.folder, "bytes"), old, old);
  {
    using _held = await takeLock(it.at.context, { what: downloadLock(it.key), doing: "test" });
    await pull(it.at, it.server.url("other"), other.digest);
    assert.deepEqual(await namesIn(files.downloads(it.at.home)), [it.key]);
  }
  await pull(it.at, it.server.url("other"), other.digest);
  assert.deepEqual(await namesIn(files.downloads(it.at.home)), []);
});

Deno.test("bytes that something else changed meanwhile don't get through", async () => {
  await using it = await interrupted('"one"');
  using file = await Deno.open(join(it.folder, "bytes"), { write: true });
  await file.seek(1000, Deno.SeekMode.Start);
  await file.write(new Uint8Array(10));
  assertBytes((await pull(it.at, it.url, it.digest)).bytes, it.bytes);
  assert.deepEqual(it.ranges(), ["bytes=300000-", undefined]);
});

Deno.test("a record that can't be read, or that lies, costs a fresh start", async () => {
  for (const text of ["{", '{"schemaVersion":2}', '{"schemaVersion":1,"label":"x"}']) {
    await using it = await interrupted('"one"');
    await Deno.writeTextFile(join(it.folder, "download.json"), text);
    assertBytes((await pull(it.at, it.url, it.digest)).bytes, it.bytes);
    assert.deepEqual(it.ranges(), [undefined], text);
  }
  await using it = await interrupted('"one"');
  const path = join(it.folder, "download.json");
  const record = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ ...record, partStart: 300_001 }));
  assertBytes((await pull(it.at, it.url, it.digest)).bytes, it.bytes);
  assert.deepEqual(it.ranges(), [undefined]);
});

Deno.test("a whole file whose storing was interrupted needs no server", async () => {
  await using it = await interrupted('"one"');
  const stop = new AbortController();
  const context = makeContext(it.at.home, { signal: stop.signal });
  const wanted = { sources: [[it.url]], digest: it.digest, label: "debian:12" };
  const storing = withDownload(context, wanted, () => {
    stop.abort();
    throw stop.signal.reason;
  }, QUICK);
  await assert.rejects(storing, { name: "AbortError" });
  it.server.files.disk!.always = { status: 404 };
  assertBytes((await pull(it.at, it.url, it.digest)).bytes, it.bytes);
  assert.deepEqual(it.ranges(), ["bytes=300000-"]);
  await assertNothingLeft(it.at);
});

Deno.test("a file that its receiver refuses is not kept", async () => {
  await using it = await interrupted();
  const wanted = { sources: [[it.url]], digest: it.digest, label: "debian:12" };
  const store = () => Promise.reject(new NidoError("denied", "no"));
  await fails(withDownload(it.at.context, wanted, store, QUICK), "denied", "no");
  await assertNothingLeft(it.at);
});

Deno.test("an interrupt keeps what has come", async () => {
  await using at = await place();
  const { bytes, digest } = await published(SIZE);
  const always = { drip: { bytes: 50_000, everyMs: 20 } };
  await using server = serveImages({ disk: { bytes, always } });
  const stop = new AbortController();
  const context = makeContext(at.home, {
    signal: stop.signal,
    report: ({ done }) => void (done! > 0 && stop.abort()),
  });
  const wanted = { sources: [[server.url("disk")]], digest, label: "debian:12" };
  await assert.rejects(withDownload(context, wanted, take, QUICK), { name: "AbortError" });
  const [partial] = await partialDownloads(at.home);
  assert.ok(partial!.sizeBytes > 0 && partial!.sizeBytes < SIZE);
  assertBytes((await pull(at, server.url("disk"), digest)).bytes, bytes);
  assert.deepEqual(server.seen.map(({ range }) => range), [
    undefined,
    `bytes=${partial!.sizeBytes}-`,
  ]);
});

Deno.test("mirrors go on with each other's bytes under a digest, and never without", async () => {
  await using it = await interrupted('"one"');
  const mirror = { bytes: it.bytes, etag: '"two"' };
  await using other = serveImages({ disk: mirror });
  it.server.files.disk!.always = { status: 404 };
  const urls = [it.url, other.url("disk")];
  assert.deepEqual((await pull(it.at, urls, it.digest)).file.url, other.url("disk"));
  assert.deepEqual(other.seen.map(({ range, ifRange }) => [range, ifRange]), [
    ["bytes=300000-", undefined],
  ]);
  it.server.files.disk = { bytes: it.bytes, faults: [{ dropAfter: 300_000 }, { status: 404 }] };
  assertBytes((await pull(it.at, urls, undefined)).bytes, it.bytes);
  assert.deepEqual(other.seen[1]!.range, undefined);
});

Deno.test("a disk without room: said before the first byte, or before it is full", async () => {
  await using at = await place();
  const home = join(at.home, "small");
  await using mounted = await smallHome(home);
  if (!mounted) return;
  const bytes = new Uint8Array(50 << 20).fill(7);
  await using server = serveImages({ disk: { bytes } });
  const { digest } = await published(1000);
  const small = { ...at, context: makeContext(home), home };
  await fails(
    pull(small, server.url("disk"), digest),
    "exhausted",
    /^Cannot download debian:12: it needs 50 MiB and 2 MiB to spare, and .*small has (39\.\d|39|40) MiB free$/,
  );
  server.files.disk!.always = { noLength: true };
  await fails(
    pull(small, server.url("disk"), digest),
    "exhausted",
    /^Cannot download debian:12: .*small has no room for it: 3\d(\.\d)? MiB is copied and \d(\.\d)? MiB is left there$/,
  );
  const [partial] = await partialDownloads(home);
  assert.ok(partial!.sizeBytes > 30 << 20);
  assert.equal(await removePartial(small.context, partial!.key), partial!.sizeBytes);
});
