import assert from "node:assert/strict";
import { withDownload } from "../../lib/download/download.ts";
import { serveImages } from "../helpers/image_server.ts";
import {
  assertBytes,
  assertNothingLeft,
  fails,
  place,
  published,
  pull,
  QUICK,
  sha512,
  take,
} from "./fixture.ts";

const SIZE = 3_000_000;

Deno.test("a file is downloaded, verified, handed over, and gone afterwards", async () => {
  await using at = await place();
  const { bytes, digest } = await published(SIZE);
  await using server = serveImages({ disk: { bytes } });
  const { bytes: got, file } = await pull(at, server.url("disk"), digest);
  assertBytes(got, bytes);
  assert.deepEqual({ ...file, path: "" }, {
    path: "",
    digest,
    sha256: digest,
    sizeBytes: SIZE,
    url: server.url("disk"),
  });
  await assert.rejects(Deno.stat(file.path), Deno.errors.NotFound);
  assert.deepEqual(server.seen.map(({ range }) => range), [undefined]);
  assert.deepEqual(at.told.at(-1), {
    stage: "download",
    message: "Downloading debian:12",
    done: SIZE,
    total: SIZE,
  });
  await assertNothingLeft(at);
});

Deno.test("a sha512 digest is checked, and the sha256 of the same bytes is told", async () => {
  await using at = await place();
  const { bytes, digest } = await published(SIZE);
  await using server = serveImages({ disk: { bytes } });
  const { file } = await pull(at, server.url("disk"), await sha512(bytes));
  assert.deepEqual([file.digest, file.sha256], [await sha512(bytes), digest]);
});

Deno.test("without a digest the bytes' own sha256 is told", async () => {
  await using at = await place();
  const { bytes, digest } = await published(SIZE);
  await using server = serveImages({ disk: { bytes } });
  const { file } = await pull(at, server.url("disk"), undefined);
  assert.deepEqual([file.digest, file.sha256], [digest, digest]);
  await assertNothingLeft(at);
});

Deno.test("a redirect is followed, and the address before it is told", async () => {
  await using at = await place();
  const { bytes, digest } = await published(SIZE);
  await using server = serveImages({ disk: { bytes }, "moved/disk": { bytes } });
  server.files.disk!.always = { redirect: "/moved/disk" };
  server.files["moved/disk"]!.faults = [{ dropAfter: 1_000_000 }];
  const { bytes: got, file } = await pull(at, server.url("disk"), digest);
  assertBytes(got, bytes);
  assert.equal(file.url, server.url("disk"));
  assert.deepEqual(server.seen.map(({ path, range }) => [path, range]), [
    ["disk", undefined],
    ["moved/disk", undefined],
    ["disk", "bytes=1000000-"],
    ["moved/disk", "bytes=1000000-"],
  ]);
});

Deno.test("parts are joined in order, and a resume knows in which part it is", async () => {
  await using at = await place();
  const { bytes, digest } = await published(SIZE);
  const cut = [0, 1_200_000, 2_000_000, SIZE];
  const part = (index: number) => ({
    bytes: bytes.slice(cut[index], cut[index + 1]),
    etag: `"${index}"`,
  });
  await using server = serveImages({ "disk.0": part(0), "disk.1": part(1), "disk.2": part(2) });
  server.files["disk.1"]!.faults = [{ dropAfter: 300_000 }, { status: 404 }];
  const wanted = {
    sources: [[0, 1, 2].map((index) => server.url(`disk.${index}`))],
    digest,
    sizeBytes: SIZE,
    label: "debian:12",
  };
  await fails(
    withDownload(at.context, wanted, take, QUICK),
    "not_found",
    `Cannot download debian:12: ${server.url("disk.1")}: it answers with HTTP status 404`,
  );
  const { bytes: got, file } = await withDownload(at.context, wanted, take, QUICK);
  assertBytes(got, bytes);
  assert.deepEqual([file.sha256, file.url], [digest, server.url("disk.0")]);
  assert.deepEqual(server.seen.map(({ path, range, ifRange }) => [path, range, ifRange]), [
    ["disk.0", undefined, undefined],
    ["disk.1", undefined, undefined],
    ["disk.1", "bytes=300000-", '"1"'],
    ["disk.1", "bytes=300000-", '"1"'],
    ["disk.2", undefined, undefined],
  ]);
  await assertNothingLeft(at);
});

Deno.test("what a mirror of a file in parts has sent is gone on with", async () => {
  await using at = await place();
  const { bytes, digest } = await published(SIZE);
  await using server = serveImages({ mirror: { bytes, etag: '"one"' } });
  server.files.mirror!.faults = Array.from({ length: 4 }, () => ({ dropAfter: 10_000 }));
  const wanted = {
    sources: [["disk.0", "disk.1"].map(server.url), [server.url("mirror")]],
    digest,
    label: "debian:12",
  };
  await fails(withDownload(at.context, wanted, take, QUICK), "unavailable", /disk\.0.*mirror/);
  assertBytes((await withDownload(at.context, wanted, take, QUICK)).bytes, bytes);
  const { path, range } = server.seen.at(-1)!;
  assert.deepEqual([path, range], ["mirror", "bytes=40000-"]);
});

Deno.test("parts that don't add up to the published size are refused early", async () => {
  await using at = await place();
  const { bytes, digest } = await published(SIZE);
  await using server = serveImages({
    "disk.0": { bytes: bytes.slice(0, 1_000_000) },
    "disk.1": { bytes: bytes.slice(1_000_001) },
  });
  const sources = [[server.url("disk.0"), server.url("disk.1")]];
  const wanted = { sources, digest, sizeBytes: SIZE, label: "debian:12" };
  await fails(
    withDownload(at.context, wanted, take, QUICK),
    "integrity",
    `Cannot download debian:12: ${server.url("disk.1")}: ` +
      `it offers 2999999 bytes, and the published size is 3000000`,
  );
  assert.ok(server.seen[1]!.sent < 2_000_000);
});

Deno.test("what another has stored meanwhile is not downloaded", async () => {
  await using at = await place();
  const { bytes, digest } = await published(SIZE);
  await using server = serveImages({ disk: { bytes } });
  const wanted = { sources: [[server.url("disk")]], digest, label: "debian:12" };
  const result = await withDownload(
    at.context,
    wanted,
    () => Promise.reject(new Error("unused")),
    { present: () => Promise.resolve("there") },
  );
  assert.equal(result, "there");
  assert.deepEqual(server.seen, []);
  await assertNothingLeft(at);
});

Deno.test("progress is told at most every 100 ms", async () => {
  await using at = await place();
  const { bytes, digest } = await published(SIZE);
  await using server = serveImages({
    disk: { bytes, always: { drip: { bytes: 50_000, everyMs: 5 } } },
  });
  const since = performance.now();
  await pull(at, server.url("disk"), digest);
  const most = (performance.now() - since) / 100 + 2;
  const told = at.told.map(({ done }) => done!);
  assert.ok(told.length <= most, `${told.length} reports`);
  assert.ok(told.length > 2, `${told.length} reports`);
  assert.deepEqual(told, told.toSorted((one, other) => one - other));
});
