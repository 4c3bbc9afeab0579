/**
 * Real index files of publishers, which lie beside the project on some machines and are no part of it.
 * Without them, these tests say so and pass; strategies_test.ts has small files in the same forms.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { Checksums } from "../../registry/builder/checksums.ts";
import type { FoundVersion } from "../../registry/builder/discovery.ts";
import type { Fetch } from "../../registry/builder/fetch.ts";
import { listedNames } from "../../registry/builder/listing.ts";
import { newest } from "../../registry/builder/newest.ts";
import { readSources } from "../../registry/builder/read_sources.ts";
import { newestItem, readStream } from "../../registry/builder/simplestreams.ts";
import { strategies } from "../../registry/builder/strategies.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { answering, SOURCES } from "./site.ts";

const SAMPLES = fromFileUrl("../../../shared/registry/samples");

const expected = z.object({
  cases: z.array(z.object({
    file: z.string(),
    strategy: z.string(),
    query: z.record(z.string(), z.string().nullable()),
    expect: z.record(z.string(), z.union([z.string(), z.number()])),
  })),
});
type Case = z.output<typeof expected>["cases"][number];

const present = await Deno.stat(join(SAMPLES, "expected.json")).then(() => true, () => false);
const unless = present ? "" : ` (left out: there is no ${SAMPLES})`;
const cases = present ? expected.parse(JSON.parse(await sample("expected.json"))).cases : [];
const shipped = await readSources(await Deno.readTextFile(SOURCES), "sources.yaml");

async function sample(file: string): Promise<string> {
  return await Deno.readTextFile(join(SAMPLES, file));
}

async function discover(
  name: string,
  parts: Record<string, unknown>,
  fetch: Fetch,
): Promise<FoundVersion[]> {
  const source = shipped.find((one) => one.name === name)!;
  return await strategies[source.strategy].discover({ ...source, ...parts } as never, fetch);
}

const hashed = (digest: string) => {
  const [algorithm, hex] = digest.split(":");
  return { [algorithm!]: hex };
};

/** How each kind of case is asked of the builder. */
const ask: Record<string, (one: Case) => Promise<Record<string, unknown>>> = {
  "dir-latest": async ({ file, query }) => {
    const names = listedNames({ address: file, text: await sample(file) });
    return { build: newest(names, new RegExp(query.dir_re!), file).version };
  },
  "file-latest": async ({ file, query }) => {
    const text = await sample(file);
    if (query.name_re) {
      const names = listedNames({ address: file, text });
      return { file: newest(names, new RegExp(query.name_re), file).name };
    }
    assert.deepEqual([query.cloud, query.machine], ["nocloud", null]);
    return { file: await alpine(text, file.split("/")[1]!, query) };
  },
  checksum: async ({ file, query }) => {
    const checksums = new Checksums({ address: file, text: await sample(file) });
    const read = file.startsWith("alpine/")
      ? checksums.ofItsOnly(query.name!)
      : checksums.of(query.name!);
    return hashed(read.digest);
  },
  "checksum-latest": async ({ file, query }) => {
    const checksums = new Checksums({ address: file, text: await sample(file) });
    const { name, version } = newest(checksums.names, new RegExp(query.name_re!), file);
    const { digest, sizeBytes } = checksums.of(name);
    return { build: version, ...hashed(digest), size: sizeBytes };
  },
  simplestreams: async ({ file, query }) => {
    const text = await sample(file);
    if (query.alias) return await ubuntu(text, query.alias);
    const product = readStream({ address: file, text })[query.product!]!;
    const { serial, digest, sizeBytes } = newestItem(product, query.ftype!)!;
    return { build: serial, ...hashed(digest), size: sizeBytes };
  },
  "fedora-releases": async ({ file, query }) => {
    const { index } = shipped.find(({ name }) => name === "fedora") as unknown as { index: string };
    const fetch = answering({ [index]: await sample(file) });
    const [newest] = await discover("fedora", {}, fetch);
    const { url, digest, sizeBytes } = built(newest, query.arch!);
    assert.ok(url.endsWith(query.suffix!));
    return { version: newest!.version, ...hashed(digest), size: sizeBytes };
  },
  "jsontable-latest": async ({ file }) => {
    const text = await sample(file);
    const fetch: Fetch = (address) =>
      Promise.resolve({
        address,
        text: address.endsWith("?jsontable") ? text : "a".repeat(64),
      });
    const [newest] = await discover("opensuse-tumbleweed", { architectures: ["x86_64"] }, fetch);
    return { build: newest!.version, size: built(newest, "x86_64").sizeBytes };
  },
};

function built(version: FoundVersion | undefined, architecture: string) {
  const build = version!.builds[architecture as "x86_64"]!;
  assert.ok("url" in build, JSON.stringify(build));
  return build;
}

/** The stream's own aliases lead to the product; nothing in it says that amd64v3 is another processor. */
async function ubuntu(text: string, alias: string): Promise<Record<string, unknown>> {
  const address = "https://cloud-images.ubuntu.com/releases/streams/v1/" +
    "com.ubuntu.cloud:released:download.json";
  const versions = await discover("ubuntu", {}, answering({ [address]: text }));
  const named = versions.find(({ aliases }) => aliases?.includes(alias));
  const { url, digest } = built(named, "x86_64");
  const build = /release-([\d.]+)\//.exec(url)![1];
  return { product: `com.ubuntu.cloud:server:${named!.version}:amd64`, build, ...hashed(digest) };
}

async function alpine(text: string, branch: string, query: Case["query"]): Promise<string> {
  const at = "https://dl-cdn.alpinelinux.org/alpine/";
  const fetch: Fetch = (address) => {
    const texts: Record<string, string> = {
      [at]: `<a href="${branch}/">${branch}</a>`,
      [`${at}${branch}/releases/cloud/`]: text,
    };
    return Promise.resolve({ address, text: texts[address] ?? "a".repeat(128) });
  };
  const firmware = { x86_64: query.firmware, aarch64: query.firmware };
  const [version] = await discover("alpine", { bootstrap: query.bootstrap, firmware }, fetch);
  return built(version, query.arch!).url.split("/").at(-1)!;
}

/** No strategy reads these: the same publisher's SHA512SUMS says the same. */
const UNREAD = ["debian-json"];

for (const one of cases) {
  const { file, strategy, query, expect: { note: _, ref: __, ...wanted } } = one;
  const ignore = UNREAD.includes(strategy);
  if (ignore) console.log(`${file} is left out: no strategy reads it`);
  Deno.test({ name: `${strategy} ${file} ${JSON.stringify(query)}`, ignore }, async () => {
    const given = await ask[strategy]!(one);
    assert.deepEqual(
      Object.fromEntries(Object.keys(wanted).map((key) => [key, given[key]])),
      wanted,
    );
  });
}

Deno.test({ name: `there are as many real cases as there were${unless}`, ignore: !present }, () => {
  assert.equal(cases.length, 35);
});

Deno.test(
  { name: `a forged line in a real signed file is refused${unless}`, ignore: !present },
  async () => {
    const read = async (file: string) => new Checksums({ address: file, text: await sample(file) });
    const real = await read("fedora/Fedora-Cloud-44-1.7-aarch64-CHECKSUM");
    const escaped = await read("malformed/fedora-dash-escaped.CHECKSUM");
    assert.deepEqual(escaped.names, real.names);
    assert.deepEqual(
      escaped.names.map((name) => escaped.of(name)),
      real.names.map((name) => real.of(name)),
    );
    await assert.rejects(read("malformed/fedora-unsigned-line-in-armor-header.CHECKSUM"), {
      code: "integrity",
      message: /its header holds more than the name of a hash$/,
    });
  },
);

Deno.test(
  { name: `odd links of a real kind are no names${unless}`, ignore: !present },
  async () => {
    const names = async (file: string) => listedNames({ address: file, text: await sample(file) });
    assert.deepEqual(await names("listings/nginx-absolute-and-query-hrefs.html"), [
      "20260712-2537/",
      "20260810-2566/",
    ]);
    assert.deepEqual(await names("listings/lighttpd.html"), [
      "cirros-0.6.2-x86_64-disk.img",
      "cirros-0.6.3-x86_64-disk.img",
      "MD5SUMS",
      "SHA256SUMS",
      "old/",
    ]);
  },
);
