import { NidoError } from "../errors.ts";
import type { Arch } from "../host/platform.ts";
import { nearestName } from "../nearest_name.ts";
import type { Build, Catalog, CatalogImage, Version } from "./catalog.ts";
import type { NamedReference } from "./reference.ts";

/** What a reference means in a catalog. */
export interface Entry {
  image: CatalogImage;
  version: Version;
  /** The reference in full, with no alias: `debian:12`. */
  reference: string;
}

/**
 * The entry that a reference means, or undefined. Without a version it is the one whose file has the
 * digest, else the newest one.
 */
export function findEntry(
  { images }: Catalog,
  { name, version, digest }: NamedReference,
): Entry | undefined {
  const image = images.find((image) => image.name === name);
  const isWanted = ({ builds }: Version) =>
    Object.values(builds).some((build) => build.digest === digest);
  const found = version === undefined || version === "latest"
    ? image?.versions.find(isWanted) ?? image?.versions[0]
    : image?.versions.find((known) => known.version === version || known.aliases.includes(version));
  if (!image || !found) return undefined;
  return { image, version: found, reference: `${image.name}:${found.version}` };
}

/** The file of an entry for an architecture; `not_found` names those that there are. */
export function buildFor({ version, reference }: Entry, architecture: Arch): Build {
  const build = version.builds[architecture];
  if (build) return build;
  const known = Object.keys(version.builds).join(" and ");
  throw new NidoError(
    "not_found",
    `Cannot pull ${reference} for ${architecture}: ` +
      (known ? `it is published for ${known}` : "no file of it is published"),
    { hint: `nido image search ${reference}`, details: { reference, architecture } },
  );
}

/** The error for a reference that a catalog doesn't know, with the nearest that it does. */
export function unknownReference(
  { images }: Pick<Catalog, "images"> = { images: [] },
  { name, version }: NamedReference,
  localNames: string[] = [],
): NidoError {
  const image = images.find((image) => image.name === name);
  const given = version === undefined ? name : `${name}:${version}`;
  if (image && version !== undefined) {
    const known = image.versions.map((known) => [known.version, ...known.aliases]);
    const near = nearestName(version, known.flat()) ?? known[0]?.[0];
    const all = known.map(([version]) => version).join(", ");
    return new NidoError("not_found", `No image ${JSON.stringify(given)}: ${name} has ${all}`, {
      hint: `nido image pull ${name}:${near}`,
      details: { reference: given, nearest: `${name}:${near}` },
    });
  }
  const nearest = nearestName(name, [...localNames, ...images.map((image) => image.name)]) ??
    nearestName(given, localNames);
  return new NidoError(
    "not_found",
    `No image ${JSON.stringify(given)}` + (nearest ? `; the nearest is "${nearest}"` : ""),
    { hint: "nido image search", details: { reference: given, nearest } },
  );
}
