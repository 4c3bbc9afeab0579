import type { Catalog } from "../../lib/catalog/catalog.ts";

/** What changed between two catalogs, a line for each fact, in the catalog's order. */
export function catalogDiff(before: Catalog, after: Catalog): string[] {
  const [old, now] = [factsOf(before), factsOf(after)];
  const keys = [...new Set([...old.keys(), ...now.keys()])].sort();
  return keys.flatMap((key) => {
    const [was, is] = [old.get(key), now.get(key)];
    if (was === is) return [];
    if (was === undefined) return [`+ ${key} ${is}`];
    if (is === undefined) return [`- ${key} ${was}`];
    return [`~ ${key} ${was} -> ${is}`];
  });
}

/** `debian:12 x86_64 url` and the like, each with what it is. */
function factsOf({ images }: Catalog): Map<string, string> {
  const facts = new Map<string, string>();
  const keep = (about: string, fields: Record<string, unknown>) => {
    for (const [field, value] of Object.entries(fields)) {
      const none = value === undefined || (Array.isArray(value) && value.length === 0);
      if (!none) facts.set(`${about} ${field}`, shown(value));
    }
  };
  for (const { versions, name, ...image } of images) {
    keep(name, image);
    for (const { version, builds, ...fields } of versions) {
      keep(`${name}:${version}`, fields);
      for (const [architecture, build] of Object.entries(builds)) {
        keep(`${name}:${version} ${architecture}`, build);
      }
    }
  }
  return facts;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}
