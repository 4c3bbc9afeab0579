import type { Build } from "../../lib/catalog/catalog.ts";
import { compareVersions } from "../../lib/catalog/compare_versions.ts";
import type { Architecture, Found } from "./discovery.ts";
import type { Source } from "./source.ts";

/** The catalog's entry of a file: what was found, and what its source says of all its files. */
export function entryOf(
  source: Source,
  found: Found,
  { version, architecture }: { version: string; architecture: Architecture },
): Build {
  const own = source.releases[version] ?? {};
  const { url, partUrls, digest, sizeBytes, builtAt, packing = source.packing } = found;
  const cpu = architecture === "x86_64" ? own.cpu ?? source.cpu : undefined;
  const mirrors = url.startsWith(source.at)
    ? source.mirrors.map((mirror) => mirror + url.slice(source.at.length))
    : [];
  return {
    url,
    ...(mirrors.length > 0 ? { mirrors } : {}),
    ...(partUrls ? { partUrls } : {}),
    digest,
    ...(sizeBytes ? { sizeBytes } : {}),
    format: source.format,
    ...(packing ? { packing } : {}),
    firmware: source.firmware[architecture],
    ...(cpu ? { cpu } : {}),
    user: own.user ?? source.user,
    cloudInit: source.cloudInit,
    guestAgent: own.guestAgent ?? source.guestAgent,
    ...(builtAt ? { builtAt } : {}),
  };
}

/** Do two entries say that their bytes are in the same place? */
export function sameAddress(one: Build, other: Build): boolean {
  return one.url === other.url && `${one.partUrls}` === `${other.partUrls}`;
}

/** Addresses that differ in numbers only are as old as these; for others, the day of the build counts. */
export function goesBack(known: Build, found: Build): boolean {
  const [before, after] = [known, found].map(({ url }) => url.replace(/\d+/g, "#"));
  if (before === after) return compareVersions(found.url, known.url) < 0;
  return known.builtAt !== undefined && found.builtAt !== undefined &&
    Date.parse(found.builtAt) < Date.parse(known.builtAt);
}
