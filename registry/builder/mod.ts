import { join } from "node:path";
import {
  type Catalog,
  catalog as catalogSchema,
  type CatalogImage,
} from "../../lib/catalog/catalog.ts";
import { NidoError } from "../../lib/errors.ts";
import { readRecord } from "../../lib/store/record.ts";
import { catalogDiff } from "./diff.ts";
import { type Failed, type FoundVersion, reason } from "./discovery.ts";
import type { Fetch, Page } from "./fetch.ts";
import { judge, type Judged, type Problem, type Terms } from "./policy.ts";
import { readSources } from "./read_sources.ts";
import type { Source } from "./source.ts";
import { strategies } from "./strategies.ts";

/** What a build of the registry is asked for. */
export interface Order {
  /** Holds `sources.yaml` and `images.json`. */
  folder: string;
  fetch: Fetch;
  now: Date;
  /** `name` or `name:version`: taken as found, whatever the policy holds. */
  accept?: string[];
  /** Only tells what would change. */
  dryRun?: boolean;
  /** Hears of each source that has been read. */
  done?: (name: string) => void;
}

/** What came of it. */
export interface Outcome {
  path: string;
  changed: boolean;
  diff: string[];
  problems: Problem[];
}

/** Makes `images.json` anew from what the sources offer now and from what it said before. */
export async function buildRegistry(order: Order): Promise<Outcome> {
  const { folder, now, accept = [], dryRun = false } = order;
  const path = join(folder, "images.json");
  const sources = await readSources(await readText(join(folder, "sources.yaml")), "sources.yaml");
  const before: Catalog = await readRecord(path, catalogSchema) ?? emptyCatalog(now);
  checkAccepted(accept, sources, before);
  const terms: Terms = {
    today: now.toISOString().slice(0, 10),
    accepted: (image, version) => accept.includes(image) || accept.includes(`${image}:${version}`),
  };
  const judged = await judgeAll(order, sources, before, terms);
  const images = judged.flatMap(({ image }) => image ?? []);
  const after = catalogSchema.parse({
    $schema: "./schema/catalog.json",
    schemaVersion: 1,
    updatedAt: before.updatedAt,
    images: images.sort((a, b) => a.name < b.name ? -1 : 1),
  });
  const changed = textOf(after) !== textOf(before);
  if (changed && !dryRun) {
    await replaceText(path, textOf({ ...after, updatedAt: now.toISOString() }));
  }
  return {
    path,
    changed,
    diff: catalogDiff(before, after),
    problems: judged.flatMap(({ problems }) => problems),
  };
}

async function judgeAll(order: Order, sources: Source[], before: Catalog, terms: Terms) {
  const fetch = remembering(order.fetch);
  const found = await Promise.all(sources.map(async (source) => {
    const versions = await discover(source, fetch);
    order.done?.(source.name);
    return { source, versions };
  }));
  refuseNothing(found.map(({ versions }) => versions));
  const judged = found.map(({ source, versions }) => {
    const known = before.images.find(({ name }) => name === source.name);
    return judge(source, versions, known, terms);
  });
  const orphans = before.images.filter(({ name }) =>
    !sources.some((source) => source.name === name) && !order.accept?.includes(name)
  );
  return [...judged, ...orphans.map(orphaned)];
}

function orphaned(image: CatalogImage): Judged {
  const problem = "it has no source any more";
  return { image, problems: [{ about: image.name, problem, needsPerson: true }] };
}

/** Where no source at all can be read, the fault is here: a catalog of stale images helps nobody. */
function refuseNothing(found: (FoundVersion[] | Failed)[]): void {
  const failures: string[] = [];
  for (const versions of found) {
    if (!Array.isArray(versions)) failures.push(versions.failed);
    else {
      for (const build of versions.flatMap(({ builds }) => Object.values(builds))) {
        if (!("failed" in build)) return;
        failures.push(build.failed);
      }
    }
  }
  throw new NidoError("unavailable", `Cannot build the catalog: no source offers an image`, {
    details: { failures },
  });
}

async function discover(source: Source, fetch: Fetch): Promise<FoundVersion[] | Failed> {
  try {
    // Its options were checked by the strategy's own schema when sources.yaml was read.
    return await strategies[source.strategy].discover(source as never, fetch);
  } catch (thrown) {
    return { failed: reason(thrown) };
  }
}

/** Reads each address once, so that all of a run see the same. */
function remembering(fetch: Fetch): Fetch {
  const pages = new Map<string, Promise<Page>>();
  return (address) => {
    const page = pages.get(address) ?? fetch(address);
    pages.set(address, page);
    return page;
  };
}

function checkAccepted(accept: string[], sources: Source[], { images }: Catalog): void {
  const names = [...sources, ...images].map(({ name }) => name);
  const unknown = accept.find((word) => !names.includes(word.split(":")[0]!));
  if (unknown === undefined) return;
  throw new NidoError("not_found", `Cannot accept ${unknown}: there is no such image`);
}

function emptyCatalog(now: Date): Catalog {
  return { schemaVersion: 1, updatedAt: now.toISOString(), images: [] };
}

function textOf(catalog: Catalog): string {
  return JSON.stringify(catalog, null, 2) + "\n";
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new NidoError("not_found", `Cannot read ${path}: there is no such file`, {
      hint: "nido registry build --folder registry",
    });
  }
}

/** The file is a source of the project: readable for all, as a checkout leaves it. */
async function replaceText(path: string, text: string): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await Deno.writeTextFile(temporary, text);
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // what went wrong with it is told
    throw error;
  }
}
