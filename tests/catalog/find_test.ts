import assert from "node:assert/strict";
import { buildFor, findEntry, unknownReference } from "../../lib/catalog/find.ts";
import type { NamedReference } from "../../lib/catalog/reference.ts";
import { digestOf, sampleCatalog } from "./sample.ts";

const catalog = sampleCatalog();
const named = (name: string, version?: string): NamedReference => ({ kind: "name", name, version });

Deno.test("a name alone and latest mean the newest version; an alias means its own", () => {
  const full = (name: string, version?: string) =>
    findEntry(catalog, named(name, version))?.reference;
  assert.equal(full("debian"), "debian:13");
  assert.equal(full("debian", "latest"), "debian:13");
  assert.equal(full("debian", "bookworm"), "debian:12");
  assert.equal(full("debian", "12"), "debian:12");
  assert.equal(full("debian", "11"), undefined);
  assert.equal(full("ubuntu"), undefined);
});

Deno.test("a digest without a version means the version that has it", () => {
  const full = (digest: string) => findEntry(catalog, { ...named("debian"), digest })?.reference;
  assert.equal(full(digestOf("d")), "debian:12");
  assert.equal(full(digestOf("b")), "debian:13");
  assert.equal(full(digestOf("f")), "debian:13");
});

Deno.test("an entry has a file for each architecture, and says so where one is missing", () => {
  const twelve = findEntry(catalog, named("debian", "12"))!;
  assert.equal(buildFor(twelve, "aarch64").digest, digestOf("d"));
  assert.throws(() => buildFor(findEntry(catalog, named("debian"))!, "aarch64"), {
    code: "not_found",
    message: "Cannot pull debian:13 for aarch64: it is published for x86_64",
    hint: "nido image search debian:13",
  });
});

Deno.test("an unknown reference suggests the nearest name or version", () => {
  const told = (name: string, version?: string, local: string[] = []) => {
    const { message, hint } = unknownReference(catalog, named(name, version), local);
    return [message, hint];
  };
  assert.deepEqual(told("debain"), [
    'No image "debain"; the nearest is "debian"',
    "nido image search",
  ]);
  assert.deepEqual(told("zebra", "1"), ['No image "zebra:1"', "nido image search"]);
  assert.deepEqual(told("my-dsk", undefined, ["my-disk"]), [
    'No image "my-dsk"; the nearest is "my-disk"',
    "nido image search",
  ]);
  assert.deepEqual(told("debian", "bookwrom"), [
    'No image "debian:bookwrom": debian has 13, 12',
    "nido image pull debian:bookworm",
  ]);
  assert.deepEqual(told("debian", "99"), [
    'No image "debian:99": debian has 13, 12',
    "nido image pull debian:13",
  ]);
});
