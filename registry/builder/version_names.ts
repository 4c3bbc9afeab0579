import { type Version, version } from "../../lib/catalog/catalog.ts";
import { compareVersions } from "../../lib/catalog/compare_versions.ts";

/** Can the catalog name a version so? */
export function isWord(text: string): boolean {
  return version.shape.version.safeParse(text).success;
}

/** The newest first; a word that two versions claim is the newer one's, a version's own name its own. */
export function namedOnce(versions: Version[]): Version[] {
  const sorted = versions.toSorted((a, b) => compareVersions(b.version, a.version));
  const taken = new Set(sorted.map(({ version }) => version));
  return sorted.map((version) => {
    const aliases = version.aliases.filter((alias) => !taken.has(alias));
    aliases.forEach((alias) => taken.add(alias));
    return { ...version, aliases };
  });
}
