import assert from "node:assert/strict";
import type { Retries } from "../../lib/download/download.ts";
import { type Fault, serveImages } from "../helpers/image_server.ts";
import { assertBytes, assertNothingLeft, fails, place, published, pull } from "./fixture.ts";

const SIZE = 1_000_000;

/** A server with one file that does these things wrong, and what a pull from it gives. */
async function against(
  faults: Fault[],
  more: { always?: Fault; etag?: string; lastModified?: string; sizeBytes?: number } = {},
) {
  const at = await place();
  const { bytes, digest } = await published(SIZE);
  const { sizeBytes, ...file } = more;
  const server = serveImages({ disk: { bytes, faults, ...file }, good: { bytes } });
  return {
    at,
    bytes,
    digest,
    server,
    url: server.url("disk"),
    pull: (retries: Partial<Retries> = {}) =>
      pull(at, server.url("disk"), digest, { sizeBytes, retries }),
    asked: () => server.seen.map(({ range, ifRange }) => [range, ifRange]),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await at[Symbol.asyncDispose]();
    },
  };
}

Deno.test("dropped connections: each request goes on where the last one broke off", async () => {
  const drops = [300_000, 100_000, 65_537, 1].map((dropAfter) => ({ dropAfter }));
  await using it = await against(drops, { etag: '"one"' });
  assertBytes((await it.pull()).bytes, it.bytes);
  assert.deepEqual(it.asked(), [
    [undefined, undefined],
    ["bytes=300000-", '"one"'],
    ["bytes=400000-", '"one"'],
    ["bytes=465537-", '"one"'],
    ["bytes=465538-", '"one"'],
  ]);
  assert.equal(it.server.sentBytes(), SIZE);
  await assertNothingLeft(it.at);
});

Deno.test("dropped at random bytes, the file is whole in the end", async () => {
  const drops = Array.from({ length: 12 }, () => ({
    dropAfter: 65_537 + Math.floor(Math.random() * 100_000),
  }));
  await using it = await against(drops, { lastModified: "Mon, 23 Nov 2026 07:00:00 GMT" });
  assertBytes((await it.pull()).bytes, it.bytes);
  assert.equal(it.server.sentBytes(), SIZE);
  assert.equal(it.asked()[1]![1], "Mon, 23 Nov 2026 07:00:00 GMT");
});

Deno.test("a server that always breaks off is given up, and the next pull goes on", async () => {
  await using it = await against([], { always: { dropAfter: 10_000 }, etag: '"one"' });
  await fails(
    it.pull(),
    "unavailable",
    `Cannot download debian:12: ${it.url}: error reading a body from connection`,
  );
  assert.deepEqual(it.asked().map(([range]) => range), [
    undefined,
    "bytes=10000-",
    "bytes=20000-",
    "bytes=30000-",
  ]);
  it.server.files.disk!.always = undefined;
  assertBytes((await it.pull()).bytes, it.bytes);
  assert.deepEqual(it.asked().at(-1), ["bytes=40000-", '"one"']);
});

Deno.test("a file that changes in mid-pull is taken anew, never mixed", async () => {
  const other = await published(SIZE, 2);
  await using it = await against([{ dropAfter: 300_000 }], { etag: '"one"' });
  const { server } = it;
  const changed = pull(it.at, it.url, undefined, { retries: { firstWaitMs: 100 } });
  while (server.seen[0]?.sent !== 300_000) await new Promise((done) => setTimeout(done, 1));
  server.files.disk = { bytes: other.bytes, etag: '"two"' };
  assertBytes((await changed).bytes, other.bytes);
  assert.deepEqual(it.asked(), [[undefined, undefined], ["bytes=300000-", '"one"']]);
  assert.equal(server.seen[1]!.sent, SIZE);
});

Deno.test("a server that ignores If-Range is caught by its ETag", async () => {
  const other = await published(SIZE, 2);
  await using it = await against([{ dropAfter: 300_000 }], { etag: '"one"' });
  const { server } = it;
  const changed = pull(it.at, it.url, undefined, { retries: { firstWaitMs: 100 } });
  while (server.seen[0]?.sent !== 300_000) await new Promise((done) => setTimeout(done, 1));
  server.files.disk = { bytes: other.bytes, etag: '"two"', faults: [{ ignoresIfRange: true }] };
  assertBytes((await changed).bytes, other.bytes);
  assert.deepEqual(it.asked().map(([range]) => range), [undefined, "bytes=300000-", undefined]);
});

Deno.test("without marks and without a digest nothing is ever continued", async () => {
  await using it = await against([{ dropAfter: 300_000 }]);
  assertBytes((await pull(it.at, it.url, undefined)).bytes, it.bytes);
  assert.deepEqual(it.asked(), [[undefined, undefined], [undefined, undefined]]);
});

Deno.test("a weak ETag marks no bytes: without a digest the file is taken anew", async () => {
  await using it = await against([{ dropAfter: 300_000 }], { etag: 'W/"one"' });
  assertBytes((await pull(it.at, it.url, undefined)).bytes, it.bytes);
  assert.deepEqual(it.asked(), [[undefined, undefined], [undefined, undefined]]);
});

Deno.test("without marks the digest decides; a mixed file is thrown away once", async () => {
  const other = await published(SIZE, 2);
  await using it = await against([{ dropAfter: 300_000 }]);
  const { server } = it;
  server.files.disk!.bytes = other.bytes;
  await fails(
    pull(it.at, [it.url, server.url("absent")], it.digest, { retries: { failures: 0 } }),
    "unavailable",
    /error reading a body/,
  );
  server.files.disk!.bytes = it.bytes;
  assertBytes((await it.pull()).bytes, it.bytes);
  assert.deepEqual(it.asked().map(([range]) => range).slice(-2), ["bytes=300000-", undefined]);
});

Deno.test("wrong bytes: both digests are told, and nothing is left", async () => {
  await using it = await against([], { always: { flip: 500_000 } });
  const wrong = it.bytes.slice();
  wrong[500_000]! ^= 0xff;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", wrong)).toHex();
  await fails(
    it.pull(),
    "integrity",
    `Cannot download debian:12: ${it.url}: what it sends has the digest sha256:${hash}, ` +
      `and the published one is ${it.digest}`,
  );
  assert.equal(it.server.seen.length, 1);
  await assertNothingLeft(it.at);
  const good = await pull(it.at, [it.url, it.server.url("good")], it.digest);
  assertBytes(good.bytes, it.bytes);
  assert.equal(good.file.url, it.server.url("good"));
});

Deno.test("wrong bytes after a resume are fetched once more from zero, and only once", async () => {
  await using it = await against([], { always: { flip: 500_000, dropAfter: 600_000 } });
  await fails(it.pull(), "integrity", /the published one is/);
  const twice = [undefined, "bytes=600000-", undefined, "bytes=600000-"];
  assert.deepEqual(it.asked().map(([range]) => range), twice);
});

Deno.test("a length that is too short makes wrong bytes; one that is too long, a missing rest", async () => {
  await using short = await against([], { always: { contentLength: SIZE - 10 } });
  await fails(short.pull(), "integrity", /what it sends has the digest/);
  await using long = await against([{ contentLength: SIZE + 10 }]);
  assertBytes((await long.pull()).bytes, long.bytes);
  assert.deepEqual(long.asked().map(([range]) => range), [undefined, `bytes=${SIZE}-`]);
});

Deno.test("a size other than the published one is refused before the first byte", async () => {
  await using it = await against([], { sizeBytes: SIZE - 1 });
  await fails(
    it.pull(),
    "integrity",
    `Cannot download debian:12: ${it.url}: it offers 1000000 bytes, and the published size is 999999`,
  );
});

Deno.test("who sends more than was published is stopped", async () => {
  await using it = await against([], { sizeBytes: SIZE, always: { more: 50_000_000 } });
  await fails(
    it.pull(),
    "integrity",
    `Cannot download debian:12: ${it.url}: it sends more than the 1000000 bytes due`,
  );
  assert.ok(it.server.sentBytes() < 20_000_000, `${it.server.sentBytes()} bytes were sent`);
});

Deno.test("a file without a length is taken to its end, a cut one goes on", async () => {
  await using it = await against([{ noLength: true, dropAfter: 400_000 }], {
    always: { noLength: true },
  });
  assertBytes((await it.pull()).bytes, it.bytes);
  assert.deepEqual(it.asked().map(([range]) => range), [undefined, "bytes=400000-"]);
});

Deno.test("404 leads to the next address; alone it is told", async () => {
  await using it = await against([], { always: { status: 404 } });
  const good = await pull(it.at, [it.url, it.server.url("good")], it.digest);
  assertBytes(good.bytes, it.bytes);
  assert.equal(good.file.url, it.server.url("good"));
  await fails(
    it.pull(),
    "not_found",
    `Cannot download debian:12: ${it.url}: it answers with HTTP status 404`,
  );
  assert.equal(it.server.seen.length, 3);
  await assertNothingLeft(it.at);
});

Deno.test("500s pass, with waits between; then all addresses are named", async () => {
  await using it = await against([{ status: 500 }, { status: 503 }, { status: 502 }]);
  assertBytes((await it.pull()).bytes, it.bytes);
  it.server.files.disk!.always = { status: 500 };
  const error = await fails(
    pull(it.at, [it.url, it.server.url("absent")], it.digest),
    "unavailable",
    `Cannot download debian:12: ${it.url}: it answers with HTTP status 500; ` +
      `${it.server.url("absent")}: it answers with HTTP status 404`,
  );
  assert.equal(error.hint, "nido image pull debian:12");
  assert.equal(it.server.seen.length, 4 + 4 + 1);
});

Deno.test("429: what Retry-After asks for is waited, within bounds", async () => {
  const soon = { status: 429, retryAfter: "1" };
  await using it = await against([soon]);
  const since = performance.now();
  const { bytes } = await pull(it.at, it.url, it.digest, {
    retries: { longestAskedWaitMs: 2000 },
  });
  assertBytes(bytes, it.bytes);
  assert.ok(performance.now() - since >= 1000);
  it.server.files.disk!.faults = [{ status: 429, retryAfter: "3600" }];
  const good = await pull(it.at, [it.url, it.server.url("good")], it.digest);
  assert.equal(good.file.url, it.server.url("good"));
  assert.equal(it.server.seen.length, 4);
});

Deno.test("a slow drip is waited for; a stall is not", async () => {
  await using drip = await against([{ drip: { bytes: 50_000, everyMs: 50 } }]);
  const { bytes } = await drip.pull();
  assertBytes(bytes, drip.bytes);
  assert.equal(drip.server.seen.length, 1);
  await using stalled = await against([{ stallAfter: 200_000 }], { etag: '"one"' });
  assertBytes((await stalled.pull({ stallMs: 300 })).bytes, stalled.bytes);
  assert.deepEqual(stalled.asked()[1], ["bytes=200000-", '"one"']);
  await using always = await against([], { always: { stallAfter: 0 } });
  await fails(
    always.pull({ stallMs: 300 }),
    "unavailable",
    `Cannot download debian:12: ${always.url}: it sends nothing for 0.3 s`,
  );
});

Deno.test("a server that never answers is left for the next", async () => {
  await using it = await against([], { always: { silent: true } });
  const good = await pull(it.at, [it.url, it.server.url("good")], it.digest, {
    retries: { answerMs: 200 },
  });
  assert.equal(good.file.url, it.server.url("good"));
  await fails(
    it.pull({ answerMs: 200 }),
    "unavailable",
    `Cannot download debian:12: ${it.url}: it does not answer for 0.2 s`,
  );
});

Deno.test("a file that is encoded against our will is refused", async () => {
  await using it = await against([], { always: { gzip: true } });
  await fails(
    it.pull(),
    "unavailable",
    `Cannot download debian:12: ${it.url}: ` +
      `it sends the file encoded (gzip), which it was asked not to`,
  );
});

Deno.test("a server without ranges starts over, and its bytes are not appended", async () => {
  await using it = await against([{ dropAfter: 300_000 }, { noRanges: true }], { etag: '"one"' });
  assertBytes((await it.pull()).bytes, it.bytes);
  assert.deepEqual(it.server.seen.map(({ sent }) => sent), [300_000, SIZE]);
});

Deno.test("another range than the one asked for is refused", async () => {
  await using it = await against([{ dropAfter: 300_000 }], {
    etag: '"one"',
    always: { wrongRange: true },
  });
  await fails(
    it.pull(),
    "unavailable",
    `Cannot download debian:12: ${it.url}: it sends another range than it was asked for`,
  );
});

Deno.test("416: a file that became shorter is taken anew", async () => {
  const shorter = await published(100_000, 3);
  await using it = await against([{ dropAfter: 300_000 }]);
  await fails(
    pull(it.at, it.url, shorter.digest, { retries: { failures: 0 } }),
    "unavailable",
    /error reading a body/,
  );
  it.server.files.disk = { bytes: shorter.bytes };
  assertBytes((await pull(it.at, it.url, shorter.digest)).bytes, shorter.bytes);
  assert.deepEqual(it.asked().map(([range]) => range).slice(-2), ["bytes=300000-", undefined]);
});

Deno.test("redirects in a circle end", async () => {
  await using it = await against([], { always: { redirect: "/disk" } });
  await fails(
    it.pull(),
    "unavailable",
    `Cannot download debian:12: ${it.url}: Maximum number of redirects (20) reached`,
  );
});

Deno.test("offline: names and ports that can't be reached fail at once", async () => {
  await using at = await place();
  const free = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const closed = `http://127.0.0.1:${(free.addr as Deno.NetAddr).port}/disk`;
  free.close();
  const { digest } = await published(1000);
  const since = performance.now();
  const error = await fails(
    pull(at, ["http://no-such-host.invalid/disk", closed], digest, {
      retries: { firstWaitMs: 60_000, longestWaitMs: 60_000 },
    }),
    "unavailable",
    /^Cannot download debian:12: http:\/\/no-such-host\.invalid\/disk: dns error: .*; http:\/\/127\.0\.0\.1:\d+\/disk: tcp connect error/,
  );
  assert.equal(error.hint, "nido image pull debian:12");
  assert.ok(performance.now() - since < 5000);
});

Deno.test("a certificate that nobody signed is not accepted", async () => {
  await using at = await place();
  const { bytes, digest } = await published(SIZE);
  await using server = serveImages({ disk: { bytes } }, await selfSigned(at.home));
  await fails(
    pull(at, server.url("disk"), digest, { retries: { answerMs: 30_000 } }),
    "unavailable",
    `Cannot download debian:12: ${server.url("disk")}: ` +
      `its certificate is not trusted (invalid peer certificate: UnknownIssuer)`,
  );
  assert.deepEqual(server.seen, []);
});

async function selfSigned(folder: string): Promise<{ cert: string; key: string }> {
  const { success } = await new Deno.Command("openssl", {
    args: [
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1".split(" "),
      ..."-keyout key.pem -out cert.pem -subj /CN=x -addext subjectAltName=IP:127.0.0.1".split(" "),
      ..."-addext basicConstraints=critical,CA:FALSE".split(" "),
    ],
    cwd: folder,
    stderr: "null",
  }).output();
  assert.ok(success);
  const read = (name: string) => Deno.readTextFile(`${folder}/${name}`);
  return { cert: await read("cert.pem"), key: await read("key.pem") };
}
