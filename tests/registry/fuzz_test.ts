import assert from "node:assert/strict";
import { catalog } from "../../lib/catalog/catalog.ts";
import type { Found } from "../../registry/builder/discovery.ts";
import type { Fetch } from "../../registry/builder/fetch.ts";
import { judge } from "../../registry/builder/policy.ts";
import { readSources } from "../../registry/builder/read_sources.ts";
import type { Source } from "../../registry/builder/source.ts";
import { strategies } from "../../registry/builder/strategies.ts";
import { mutated, type Random, random } from "./mutation.ts";
import { answering, digestOf, site, SOURCES } from "./site.ts";

const MUTATIONS = 1000;
const SEED = 20261123;
const MAX_MS = 5000;

const sources = await readSources(await Deno.readTextFile(SOURCES), "sources.yaml");
const terms = { today: "2026-11-23", accepted: () => false };

async function discover(source: Source, fetch: Fetch) {
  return await strategies[source.strategy].discover(source as never, fetch);
}

/** A publisher whose texts are changed: what reads them, and the texts by their addresses. */
interface Publisher {
  source: Source;
  fetch: Fetch;
  texts: [address: string, text: string][];
}

async function publisher(source: Source, fetch: Fetch = site): Promise<Publisher> {
  const texts = new Map<string, string>();
  await discover(source, async (address) => {
    const page = await fetch(address);
    if (page.text !== "") texts.set(address, page.text);
    return page;
  });
  return { source, fetch, texts: [...texts] };
}

const publishers = await Promise.all([
  ...sources.filter(({ name }) => name !== "ubuntu-minimal").map((source) => publisher(source)),
  flavours(),
]);

/** Releases on GitHub with a file in parts and a whole one. */
async function flavours(): Promise<Publisher> {
  const at = "https://api.github.com/repos/nido/flavours/";
  const page = "https://github.com/nido/flavours/releases/download/v1";
  const files = ["flavour-desk-v1.qcow2", "flavour-desk-aarch64-v1.qcow2.zst"];
  const sums = files.map((name) => `${name}.sha256`);
  const assets = [`${files[0]}.001`, `${files[0]}.002`, files[1]!, ...sums].map((name) => ({
    name,
    size: 1000,
    browser_download_url: `${page}/${name}`,
  }));
  const releases = [{ tag_name: "v1", html_url: `${page}/${files[0]}`, assets }];
  const fetch = answering({
    [`${at}releases?per_page=100&page=1`]: JSON.stringify(releases, null, 1),
    ...Object.fromEntries(
      files.map((name) => [`${page}/${name}.sha256`, `${digestOf(name).slice(7)}  ${name}\n`]),
    ),
  });
  const [any] = sources;
  const strategy = "github-release" as const;
  const suffixes = { x86_64: "", aarch64: "-aarch64" };
  return await publisher({ ...any!, strategy, at, ...{ flavour: "desk", suffixes } }, fetch);
}

/** The same publisher with one text changed. */
function changedAt({ fetch }: Publisher, address: string, text: string): Fetch {
  return (asked) => asked === address ? Promise.resolve({ address, text }) : fetch(asked);
}

/** The file that a digest is of; parts are those of one. */
function nameOf({ url, partUrls }: Found): string {
  return fileName(partUrls ? partUrls[0]!.replace(/\.\d{3}$/, "") : url);
}

/** The digest that the unchanged fixtures give the file at an address: that of its name. */
function published(build: Found): string {
  const { url, digest } = build;
  const algorithm = digest.startsWith("sha512:") ? "sha512" : "sha256";
  const ubuntu = /release-([\d.]+)\/ubuntu-([\d.]+)-server-cloudimg-(\w+)\.img$/.exec(url);
  if (ubuntu) return digestOf(`ubuntu-${ubuntu[2]}-${ubuntu[1]}-${ubuntu[3]}.img`, algorithm);
  return digestOf(nameOf(build), algorithm);
}

/**
 * Does a text say by itself that this file has this digest? In lines, one names both; in JSON, one
 * object has both as its own values; a text that is nothing but a digest is of its only file.
 */
function says(text: string, build: Found): boolean {
  const hex = build.digest.slice(7);
  const name = nameOf(build);
  if (text.trim().toLowerCase() === hex) return true;
  const words = (line: string) => line.split(/[\s()*=]+/).map((word) => word.replace(/^\.\//, ""));
  const inLine = text.split("\n").some((line) =>
    words(line).includes(name) && words(line.toLowerCase()).includes(hex)
  );
  if (inLine) return true;
  try {
    return objectsOf(JSON.parse(text)).some((values) =>
      values.includes(hex) && values.some((value) => decoded(fileName(value)) === decoded(name))
    );
  } catch {
    return false; // it is no JSON
  }
}

function objectsOf(value: unknown): string[][] {
  if (typeof value !== "object" || value === null) return [];
  const values = Object.values(value);
  return [
    values.filter((inner) => typeof inner === "string"),
    ...values.flatMap((inner) => objectsOf(inner)),
  ];
}

const fileName = (path: string) => path.slice(path.lastIndexOf("/") + 1);

function decoded(text: string): string {
  return URL.parse(text, "https://x.example/")?.pathname ?? text;
}

/**
 * A digest comes out for a file only when its publisher gave it to exactly that file, or when the
 * changed text itself says so: what no text says never comes out, whatever stands near it.
 */
function checkBuild(about: string, build: Found, text: string): "published" | "changed" {
  assert.match(build.digest, /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/, about);
  if (build.digest === published(build)) return "published";
  assert.ok(says(text, build), `${about}: ${JSON.stringify(build)} is said nowhere`);
  return "changed";
}

Deno.test(`${MUTATIONS} changed index files: an error or a right answer, in time`, async () => {
  const draw: Random = random(SEED);
  const counts = { published: 0, changed: 0, failed: 0 };
  const all = publishers.flatMap(({ texts }) => texts.map(([, text]) => text));
  assert.ok(all.length > 45, `only ${all.length} texts are read`);
  for (let round = 0; round < MUTATIONS; round++) {
    const publisher = publishers[round % publishers.length]!;
    const { source, texts } = publisher;
    const [address, text] = draw.of(texts);
    const changed = mutated(text, draw, all);
    const about = `round ${round}: ${source.name} ${address}`;
    const since = performance.now();
    const found = await discover(source, changedAt(publisher, address, changed)).catch((error) => {
      assert.equal(error.name, "NidoError", `${about}: ${error.stack}`);
      return { failed: error.message as string };
    });
    assert.ok(performance.now() - since < MAX_MS, `${about}: it took too long`);
    const { image } = judge(source, found, undefined, terms);
    const images = image ? [image] : [];
    catalog.parse({ schemaVersion: 1, updatedAt: "2026-11-23T00:00:00Z", images });
    for (
      const build of Array.isArray(found)
        ? found.flatMap(({ builds }) => Object.values(builds))
        : []
    ) {
      if ("failed" in build) counts.failed++;
      else counts[checkBuild(about, build, changed)]++;
    }
  }
  // Each way out was taken often, so that none of them is tested by nothing.
  assert.ok(
    counts.published > 500 && counts.failed > 300 && counts.changed > 5,
    JSON.stringify(counts),
  );
});

Deno.test("what is said nowhere is noticed", () => {
  const [one, other] = ["one.img", "other.img"];
  const url = (name: string) => `https://images.example/${name}`;
  const text = `${digestOf(one).slice(7)}  ${one}\n${digestOf(other).slice(7)}  ${other}\n`;
  const swapped = { url: url(one), digest: digestOf(other) };
  assert.throws(() => checkBuild("swapped", swapped, text), /is said nowhere/);
  const torrent = text.replace(one, `${one}.torrent`);
  const made = { url: url(one), digest: `sha256:${"0".repeat(64)}` };
  assert.throws(() => checkBuild("made up", made, torrent), /is said nowhere/);
  assert.equal(checkBuild("right", { url: url(one), digest: digestOf(one) }, text), "published");
  const written = `${"0".repeat(64)} *${one}`;
  assert.equal(checkBuild("written", made, written), "changed");
});
