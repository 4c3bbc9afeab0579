import type { Build, Catalog } from "../../lib/catalog/catalog.ts";
import { reason } from "./discovery.ts";
import type { Head } from "./fetch.ts";

const AT_ONCE = 8;

/** What an address of the catalog was found to be. */
export interface Checked {
  /** `debian:12 x86_64`. */
  about: string;
  address: string;
  /** What is wrong with it; absent: nothing. */
  problem?: string;
}

/** Looks at every address of a catalog: is it there, and as large as the catalog says? */
export async function checkAddresses(catalog: Catalog, head: Head): Promise<Checked[]> {
  const waiting = buildsOf(catalog).flatMap(({ about, build }) =>
    setsOf(build).map((addresses) => ({ about, addresses, expected: build.sizeBytes }))
  );
  const checked: Checked[][] = [];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { about, addresses, expected } = next;
      const results = await Promise.all(addresses.map((address) => look(about, address, head)));
      checked.push(results.some(({ problem }) => problem) ? results : sized(results, expected));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return checked.flat().sort((a, b) => order(a) < order(b) ? -1 : 1);
}

/** Every build of a catalog with its name. */
export function buildsOf({ images }: Catalog): { about: string; build: Build }[] {
  return images.flatMap(({ name, versions }) =>
    versions.flatMap(({ version, builds }) =>
      Object.entries(builds).map(([architecture, build]) => ({
        about: `${name}:${version} ${architecture}`,
        build,
      }))
    )
  );
}

/** The addresses that together are the file: the parts, or each place of the whole alone. */
function setsOf({ url, partUrls, mirrors = [] }: Build): string[][] {
  return [partUrls ?? [url], ...mirrors.map((mirror) => [mirror])];
}

interface Looked extends Checked {
  sizeBytes?: number;
}

async function look(about: string, address: string, head: Head): Promise<Looked> {
  try {
    return { about, address, ...await head(address) };
  } catch (thrown) {
    return { about, address, problem: reason(thrown) };
  }
}

/** Servers that tell no size, or 0, tell nothing. */
function sized(looked: Looked[], expected: number | undefined): Checked[] {
  const known = looked.every(({ sizeBytes }) => sizeBytes !== undefined);
  const bytes = looked.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0);
  const wrong = known && expected !== undefined && bytes !== expected;
  return looked.map(({ about, address }) => ({
    about,
    address,
    ...(wrong ? { problem: `it has ${bytes} bytes, the catalog says ${expected}` } : {}),
  }));
}

function order({ about, address }: Checked): string {
  return `${about} ${address}`;
}
