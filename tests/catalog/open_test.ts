import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { catalogAtHand, openCatalog } from "../../lib/catalog/open.ts";
import { makeContext } from "../../lib/context.ts";
import { project } from "../../lib/project.ts";
import { sha256 } from "../../lib/sha256.ts";
import { files } from "../../lib/store/files.ts";
import { prepareHome } from "../../lib/store/home.ts";
import { sampleCatalog } from "./sample.ts";

const DAY_MS = 24 * 3600 * 1000;

/** A home, and a server whose answer a test decides; the requests that it got. */
async function place(answer: (request: Request) => Response | Promise<Response>) {
  const home = await Deno.makeTempDir({ prefix: "nido-catalog-" });
  await prepareHome(home);
  const requests: Request[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    requests.push(request);
    return answer(request);
  });
  let now = new Date("2026-11-23T12:00:00Z");
  return {
    home,
    context: makeContext(home, { now: () => now }),
    from: `http://127.0.0.1:${server.addr.port}/images.json`,
    requests,
    later: (ms: number) => now = new Date(now.getTime() + ms),
    [Symbol.asyncDispose]: async () => {
      await server.shutdown();
      await Deno.remove(home, { recursive: true });
    },
  };
}

const json = (value: unknown, etag?: string) =>
  new Response(JSON.stringify(value), { headers: etag ? { etag } : {} });

Deno.test("a catalog is fetched once a day, and then only when its ETag changed", async () => {
  await using at = await place((request) =>
    request.headers.get("if-none-match") === '"one"'
      ? new Response(null, { status: 304 })
      : json(sampleCatalog(), '"one"')
  );
  const { context, from } = at;
  const first = await openCatalog(context, { from });
  assert.deepEqual(first.catalog, sampleCatalog());
  await openCatalog(context, { from });
  assert.equal(at.requests.length, 1);
  at.later(DAY_MS + 1);
  const again = await openCatalog(context, { from });
  assert.deepEqual(at.requests.map(({ headers }) => headers.get("if-none-match")), [null, '"one"']);
  assert.deepEqual(again.catalog, first.catalog);
  assert.equal(again.checkedAt, context.now().toISOString());
  await openCatalog(context, { from, refresh: true });
  assert.equal(at.requests.length, 3);
});

Deno.test("an old copy serves while its source is away, with a notice; a refresh says so", async () => {
  let isAway = false;
  await using at = await place(() =>
    isAway ? new Response("down", { status: 503 }) : json(sampleCatalog())
  );
  const { context, from } = at;
  await openCatalog(context, { from });
  isAway = true;
  at.later(DAY_MS + 1);
  const away = `Cannot fetch the catalog ${from}: the server answered 503`;
  const old = await openCatalog(context, { from });
  assert.deepEqual(old.catalog, sampleCatalog());
  assert.equal(old.notice, `${away}; the catalog of 2026-11-01 serves instead`);
  await assert.rejects(openCatalog(context, { from, refresh: true }), {
    code: "unavailable",
    message: away,
    hint: "nido image refresh",
  });
});

Deno.test("a source that was never reached has no catalog; nonsense never replaces a good copy", async () => {
  let text = "{";
  await using at = await place(() => new Response(text));
  const { context, from } = at;
  const wrong = async (fact: string) =>
    await assert.rejects(openCatalog(context, { from, refresh: true }), {
      code: "integrity",
      message: `Cannot use the catalog ${from}: ${fact}`,
    });
  await wrong("it is not JSON");
  text = JSON.stringify({ schemaVersion: 2 });
  await wrong("its schemaVersion is 2, this Nido knows 1");
  text = JSON.stringify(sampleCatalog());
  await openCatalog(context, { from });
  const twice = sampleCatalog();
  twice.images[1]!.versions[0]!.aliases.push("bookworm");
  text = JSON.stringify(twice);
  await wrong("images.1.versions: bookworm means two versions");
  assert.deepEqual((await catalogAtHand(context, from))?.catalog, sampleCatalog());
});

Deno.test("without a word the project's own catalog is meant, and the one inside serves offline", async () => {
  await using at = await place(() => json({}));
  const hand = await catalogAtHand(at.context);
  assert.equal(hand?.source, project.catalog);
  assert.equal(hand?.checkedAt, undefined);
});

Deno.test("a catalog comes from a file too, named by the settings", async () => {
  await using at = await place(() => json({}));
  const path = join(at.home, "own.json");
  await Deno.writeTextFile(
    files.config(at.home),
    JSON.stringify({ schemaVersion: 1, catalog: path }),
  );
  await assert.rejects(openCatalog(at.context), {
    code: "not_found",
    message: `Cannot read the catalog ${path}: no such file`,
  });
  await Deno.mkdir(path);
  await assert.rejects(openCatalog(at.context), {
    code: "not_found",
    message: `Cannot read the catalog ${path}: it is a folder`,
  });
  await Deno.remove(path);
  await Deno.writeTextFile(path, JSON.stringify(sampleCatalog()));
  assert.deepEqual(await openCatalog(at.context), { catalog: sampleCatalog(), source: path });
  assert.equal(at.requests.length, 0);
});

Deno.test("a catalog over an open line is refused, also when a redirect leads to one", async () => {
  const elsewhere = Deno.serve(
    { hostname: "127.0.0.2", port: 0, onListen: () => {} },
    () => json(sampleCatalog()),
  );
  const open = `http://127.0.0.2:${elsewhere.addr.port}/images.json`;
  await using at = await place(() => Response.redirect(open));
  const refused = (from: string, fact: string) =>
    assert.rejects(openCatalog(at.context, { from }), {
      code: "denied",
      message: `Cannot fetch the catalog ${from}: ${fact} is not https`,
      hint: "download it by a way you trust, then nido config set catalog FILE",
    });
  await refused(open, "it");
  await refused(at.from, `it leads to ${open}, which`);
  await elsewhere.shutdown();
});

Deno.test("a catalog without end is not read to its end", async () => {
  const endless = new Uint8Array(1 << 20).fill(32);
  await using at = await place(() =>
    new Response(new ReadableStream({ pull: (controller) => controller.enqueue(endless) }))
  );
  await assert.rejects(openCatalog(at.context, { from: at.from }), {
    code: "unavailable",
    message: `Cannot fetch the catalog ${at.from}: it is larger than 16 MiB`,
  });
});

Deno.test("every hop on the way to a catalog is over a closed line", async () => {
  await using at = await place((request) =>
    request.url.endsWith("/images.json")
      ? Response.redirect(`http://127.0.0.2:${new URL(request.url).port}/back`)
      : json(sampleCatalog())
  );
  const { port } = new URL(at.from);
  const back = Deno.serve(
    { hostname: "127.0.0.2", port: Number(port), onListen: () => {} },
    () => Response.redirect(`http://127.0.0.1:${port}/end.json`),
  );
  await assert.rejects(openCatalog(at.context, { from: at.from }), {
    code: "denied",
    message: `Cannot fetch the catalog ${at.from}: it leads to http://127.0.0.2:${port}/back, ` +
      "which is not https",
  });
  assert.equal(at.requests.length, 1);
  await back.shutdown();
});

Deno.test("a copy that is older than the catalog inside serves nobody, fresh or not", async () => {
  await using at = await place(() => json({}));
  const old = { ...sampleCatalog(), updatedAt: "2020-01-01T00:00:00Z" };
  await keepCopy(at.home, at.context.now(), old);
  const { catalog } = await openCatalog(at.context);
  assert.ok(catalog.updatedAt > old.updatedAt, catalog.updatedAt);
  const newer = { ...sampleCatalog(), updatedAt: "2036-01-01T00:00:00Z" };
  await keepCopy(at.home, at.context.now(), newer);
  assert.deepEqual((await openCatalog(at.context)).catalog, newer);
});

/** Lays down what the project's own address is said to have given. */
async function keepCopy(home: string, checked: Date, catalog: unknown): Promise<void> {
  const key = (await sha256(project.catalog)).slice(0, 16);
  const checkedAt = checked.toISOString();
  const copy = { schemaVersion: 1, source: project.catalog, checkedAt, catalog };
  await Deno.mkdir(dirname(files.catalog(home, key)), { recursive: true });
  await Deno.writeTextFile(files.catalog(home, key), JSON.stringify(copy));
}

Deno.test("a catalog that can't be kept is used, with a notice", async () => {
  await using at = await place(() => json(sampleCatalog()));
  const folder = dirname(files.catalog(at.home, "any"));
  await Deno.remove(folder, { recursive: true }).catch(() => {}); // it need not be there yet
  await Deno.symlink(join(at.home, "nowhere", "at", "all"), folder);
  const { catalog, notice } = await openCatalog(at.context, { from: at.from });
  assert.deepEqual(catalog, sampleCatalog());
  assert.match(notice ?? "", /^The catalog can't be kept: ./);
});
