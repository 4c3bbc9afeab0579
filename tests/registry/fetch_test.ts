import assert from "node:assert/strict";
import { selfSigned } from "../helpers/self_signed.ts";
import { type Fault, type Served, serveImages } from "../helpers/image_server.ts";
import { type FetchManner, webFetch, webHead } from "../../registry/builder/fetch.ts";

const TEXT = "the list\nof files, ä\n";

const served = (parts: Partial<Served> = {}): Served => ({
  bytes: new TextEncoder().encode(TEXT),
  ...parts,
});

/** What a server with these faults gives, how often it was asked, and how long was waited between. */
async function fetched(faults: Fault[], manner: FetchManner = {}) {
  await using server = serveImages({ list: served({ faults }) });
  const waits: number[] = [];
  const wait = (milliseconds: number) => {
    waits.push(milliseconds);
    return Promise.resolve();
  };
  const url = server.url("list");
  const result = await webFetch({ wait, ...manner })(url).catch((error) => error);
  return { result, url, waits, asked: server.seen.length };
}

Deno.test("a text is fetched, with the address that gave it", async () => {
  const { result, url, asked } = await fetched([]);
  assert.deepEqual(result, { address: url, text: TEXT });
  assert.equal(asked, 1);
});

Deno.test("a gzipped answer is unpacked, and one in chunks put together", async () => {
  assert.equal((await fetched([{ gzip: true }])).result.text, TEXT);
  assert.equal((await fetched([{ noLength: true }])).result.text, TEXT);
});

Deno.test("404 is final", async () => {
  const { result, url, asked } = await fetched([{ status: 404 }]);
  assert.equal(result.code, "unavailable");
  assert.equal(result.message, `Cannot fetch ${url}: the server answers 404`);
  assert.equal(asked, 1);
});

Deno.test("500 and 503 are tried again, each time later", async () => {
  const two = await fetched([{ status: 500 }, { status: 503 }]);
  assert.equal(two.result.text, TEXT);
  assert.deepEqual(two.waits, [1000, 2000]);
  const all = await fetched([500, 502, 503, 504].map((status) => ({ status })));
  assert.equal(all.result.message, `Cannot fetch ${all.url}: the server answers 504`);
  assert.deepEqual(all.waits, [1000, 2000, 4000]);
});

Deno.test("429 is tried again when the server says so, though not in a year", async () => {
  const soon = await fetched([{ status: 429, retryAfter: "7" }]);
  assert.deepEqual([soon.result.text, soon.waits], [TEXT, [7000]]);
  const late = await fetched([{ status: 429, retryAfter: "31536000" }]);
  assert.deepEqual([late.result.text, late.waits], [TEXT, [60_000]]);
  const date = await fetched([{
    status: 503,
    retryAfter: new Date(Date.now() + 30_000).toUTCString(),
  }]);
  assert.ok(date.waits[0]! > 20_000 && date.waits[0]! <= 30_000, `${date.waits}`);
  const past = await fetched([{ status: 429, retryAfter: new Date(0).toUTCString() }]);
  assert.deepEqual(past.waits, [0]);
  const nonsense = await fetched([{ status: 429, retryAfter: "soon" }]);
  assert.deepEqual(nonsense.waits, [1000]);
});

Deno.test("a connection that breaks is tried again, and half a text is none", async () => {
  const { result, waits } = await fetched([{ dropAfter: 5 }, { dropAfter: 0 }]);
  assert.deepEqual([result.text, waits], [TEXT, [1000, 2000]]);
  const chunked = await fetched([{ noLength: true, dropAfter: 5 }]);
  assert.deepEqual([chunked.result.text, chunked.waits], [TEXT, [1000]]);
});

Deno.test("a server that drips, stalls or is silent is given up in time", async () => {
  const drip = { drip: { bytes: 1, everyMs: 100 } };
  for (const fault of [drip, { stallAfter: 3 }, { silent: true }]) {
    const since = performance.now();
    const { result, url, asked } = await fetched([fault, fault], { timeoutMs: 300, attempts: 2 });
    assert.equal(result.message, `Cannot fetch ${url}: no whole answer in 0.3 s`);
    assert.equal(asked, 2);
    assert.ok(performance.now() - since < 10_000);
  }
});

Deno.test("no text is larger than its bound, packed or not", async () => {
  const long = new TextEncoder().encode("a".repeat(100_000));
  for (const fault of [{}, { gzip: true }, { noLength: true }]) {
    await using server = serveImages({ list: { bytes: long, always: fault } });
    const url = server.url("list");
    await assert.rejects(webFetch({ maxBytes: 99_999 })(url), {
      code: "unavailable",
      message: `Cannot fetch ${url}: it is larger than 99999 bytes`,
    });
    assert.equal(server.seen.length, 1, "another attempt would not help");
    assert.equal((await webFetch({ maxBytes: 100_000 })(url)).text.length, 100_000);
  }
});

Deno.test("redirects are followed to the end, and not for ever", async () => {
  await using server = serveImages({
    end: served(),
    second: served({ always: { redirect: "end" } }),
    first: served({ always: { redirect: "/second" } }),
    circle: served({ always: { redirect: "circle" } }),
    gone: served({ always: { redirect: "nothing" } }),
    file: served({ always: { redirect: "file:///etc/passwd" } }),
  });
  const fetch = webFetch();
  assert.deepEqual(await fetch(server.url("first")), { address: server.url("end"), text: TEXT });
  const refused = (path: string, fact: string) =>
    assert.rejects(fetch(server.url(path)), {
      code: "unavailable",
      message: `Cannot fetch ${server.url(path)}: ${fact}`,
    });
  await refused("circle", "it redirects more than 10 times");
  await refused("gone", "the server answers 404");
  await refused("file", "it redirects to what is no web address");
});

Deno.test("a secure address needs a certificate that can be trusted, and stays secure", async () => {
  const tls = await selfSigned();
  await using open = serveImages({ list: served() });
  await using server = serveImages({
    list: served(),
    open: served({ always: { redirect: open.url("list") } }),
    within: served({ always: { redirect: "list" } }),
  }, tls);
  const wait = () => Promise.resolve();
  await assert.rejects(webFetch({ wait })(server.url("list")), {
    code: "unavailable",
    message: `Cannot fetch ${server.url("list")}: its certificate is not trusted ` +
      "(invalid peer certificate: UnknownIssuer)",
  });
  assert.equal(server.seen.length, 0);

  using client = Deno.createHttpClient({ caCerts: [tls.cert] });
  const fetch = webFetch({ wait, client });
  assert.equal((await fetch(server.url("within"))).text, TEXT);
  await assert.rejects(fetch(server.url("open")), {
    code: "unavailable",
    message: `Cannot fetch ${server.url("open")}: it redirects from https to http`,
  });
  assert.equal(open.seen.length, 0);
});

Deno.test("a server that isn't there is told of", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const fetch = webFetch({ wait: () => Promise.resolve() });
  await assert.rejects(fetch(`http://127.0.0.1:${port}/`), (error: Error) => {
    assert.match(error.message, /^Cannot fetch http:\/\/127\.0\.0\.1:\d+\/: .*[Rr]efused/);
    return true;
  });
});

Deno.test("an interrupt ends a fetch, and the wait for the next attempt", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  await using server = serveImages({ list: served({ always: { silent: true } }) });
  const stopped = assert.rejects(webFetch({ signal })(server.url("list")), { name: "AbortError" });
  controller.abort();
  await stopped;
  await assert.rejects(webFetch({ signal })(server.url("list")), { name: "AbortError" });
});

Deno.test("sizes are asked for without the bytes", async () => {
  const asked: string[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(`${request.method} ${pathname} ${request.headers.get("accept-encoding")}`);
    if (pathname === "/moved") return Response.redirect(new URL("/file", request.url), 302);
    if (pathname === "/none") return new Response(null, { status: 404 });
    const length = pathname === "/file" ? "12345" : "0";
    return new Response(null, { headers: { "content-length": length } });
  });
  const at = `http://127.0.0.1:${server.addr.port}`;
  const head = webHead();
  assert.deepEqual(await head(`${at}/moved`), { sizeBytes: 12_345 });
  assert.deepEqual(await head(`${at}/empty`), {});
  await assert.rejects(head(`${at}/none`), {
    message: `Cannot fetch ${at}/none: the server answers 404`,
  });
  assert.deepEqual(asked.slice(0, 2), ["HEAD /moved identity", "HEAD /file identity"]);
});
