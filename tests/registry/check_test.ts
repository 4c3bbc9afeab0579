import assert from "node:assert/strict";
import { catalog } from "../../lib/catalog/catalog.ts";
import { checkAddresses } from "../../registry/builder/check.ts";
import { webHead } from "../../registry/builder/fetch.ts";
import { chosen } from "../../scripts/registry_check.ts";

const DIGEST = `sha256:${"1a".repeat(32)}`;
const profile = {
  digest: DIGEST,
  format: "qcow2",
  firmware: "bios",
  user: "x",
  cloudInit: true,
  guestAgent: false,
};

/** A server of files by their sizes; a negative size is a status. */
function server(sizes: Record<string, number>) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    assert.equal(request.method, "HEAD");
    const size = sizes[new URL(request.url).pathname.slice(1)] ?? -404;
    if (size < 0) return new Response(null, { status: -size });
    return new Response(null, { headers: { "content-length": `${size}` } });
  });
}

function catalogOf(versions: Record<string, Record<string, unknown>>) {
  return catalog.parse({
    schemaVersion: 1,
    updatedAt: "2026-11-23T00:00:00Z",
    images: [{
      name: "os",
      title: "OS",
      description: "An OS.",
      homepage: "https://os.example",
      versions: Object.entries(versions).toReversed().map(([version, build]) => ({
        version,
        builds: { x86_64: { ...profile, ...build } },
      })),
    }],
  });
}

Deno.test("every address is asked for, and sizes are compared where both are known", async () => {
  await using files = server({ good: 100, big: 101, empty: 0, a: 60, b: 40, mirror: 99, odd: 7 });
  const at = `http://127.0.0.1:${files.addr.port}`;
  const some = catalogOf({
    "8": { url: `${at}/good`, sizeBytes: 100, mirrors: [`${at}/mirror`, `${at}/gone`] },
    "7": { url: `${at}/big`, sizeBytes: 100 },
    "6": { url: `${at}/empty`, sizeBytes: 100 },
    "5": { url: `${at}/odd` },
    "4": { url: `${at}/page`, partUrls: [`${at}/a`, `${at}/b`], sizeBytes: 100 },
    "3": { url: `${at}/page`, partUrls: [`${at}/a`, `${at}/a`], sizeBytes: 100 },
    "2": { url: `${at}/page`, partUrls: [`${at}/a`, `${at}/none`], sizeBytes: 100 },
  });
  const checked = await checkAddresses(some, webHead());
  const told = checked.map(({ about, address, problem = "good" }) =>
    `${about} ${address.replace(at, "")}: ${problem.replaceAll(at, "")}`
  );
  assert.deepEqual(told, [
    "os:2 x86_64 /a: good",
    "os:2 x86_64 /none: Cannot fetch /none: the server answers 404",
    "os:3 x86_64 /a: it has 120 bytes, the catalog says 100",
    "os:3 x86_64 /a: it has 120 bytes, the catalog says 100",
    "os:4 x86_64 /a: good",
    "os:4 x86_64 /b: good",
    "os:5 x86_64 /odd: good",
    "os:6 x86_64 /empty: good",
    "os:7 x86_64 /big: it has 101 bytes, the catalog says 100",
    "os:8 x86_64 /gone: Cannot fetch /gone: the server answers 404",
    "os:8 x86_64 /good: good",
    "os:8 x86_64 /mirror: it has 99 bytes, the catalog says 100",
  ]);
});

Deno.test("names choose images and versions", () => {
  const all = catalogOf({
    "2": { url: "https://a.example/2" },
    "1": { url: "https://a.example/1" },
  });
  const versions = (...names: string[]) =>
    chosen(all, names).images.flatMap(({ versions }) => versions.map(({ version }) => version));
  assert.deepEqual(versions(), ["2", "1"]);
  assert.deepEqual(versions("os"), ["2", "1"]);
  assert.deepEqual(versions("os:1"), ["1"]);
  assert.deepEqual(versions("so", "os:3"), []);
});
