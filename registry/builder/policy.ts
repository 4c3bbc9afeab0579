import {
  type Build,
  build as buildSchema,
  type CatalogImage,
  type Version,
} from "../../lib/catalog/catalog.ts";
import { compareVersions } from "../../lib/catalog/compare_versions.ts";
import { type Architecture, architectures, type Failed, type FoundVersion } from "./discovery.ts";
import { entryOf, goesBack, sameAddress } from "./entry.ts";
import type { Source } from "./source.ts";
import { isWord, namedOnce } from "./version_names.ts";

/** So long a source may fail before a person has to look. */
const PATIENCE_DAYS = 7;

/** Something about an image that its maintainers should know. */
export interface Problem {
  /** `debian`, `debian:12` or `debian:12 x86_64`. */
  about: string;
  problem: string;
  needsPerson: boolean;
}

/** What the policy goes by besides what was found. */
export interface Terms {
  /** The day of this run. */
  today: string;
  /** The image, or this version of it, is taken as it was found, whatever the policy holds. */
  accepted: (image: string, version: string) => boolean;
}

/** An entry of the catalog, as far as there can be one, and what to know of it. */
export interface Judged {
  image?: CatalogImage;
  problems: Problem[];
}

/**
 * Makes an image's entry from what was found and what was known. Nothing disappears, goes back or
 * changes under its address without a person's word; what fails keeps what was known last.
 */
export function judge(
  source: Source,
  found: FoundVersion[] | Failed,
  known: CatalogImage | undefined,
  terms: Terms,
): Judged {
  const judging = new Judging(source, known, terms);
  const versions = judging.versions(found);
  const { name, title, description, homepage, licence } = source;
  if (versions.length === 0) return { problems: judging.problems };
  const image = { name, title, description, homepage, ...(licence ? { licence } : {}), versions };
  return { image, problems: judging.problems };
}

class Judging {
  readonly problems: Problem[] = [];

  constructor(
    readonly source: Source,
    readonly known: CatalogImage | undefined,
    readonly terms: Terms,
  ) {}

  versions(found: FoundVersion[] | Failed): Version[] {
    const known = this.known?.versions ?? [];
    const now = Array.isArray(found) ? found.filter((one) => this.isNamed(one)) : [];
    if (!Array.isArray(found)) this.failed(found);
    const kept = known.filter(({ version }) =>
      !now.some((one) => one.rolling || one.version === version)
    );
    const judged = [
      ...now.map((one) => this.version(one)),
      ...kept.flatMap((one) => Array.isArray(found) ? this.gone(one) : this.stalled(one, found)),
    ];
    const others = Object.entries(this.source.releases)
      .filter(([version]) => !judged.some((one) => one.version === version));
    const recipes = others.filter(([, { recipe }]) => recipe)
      .map(([version]) => this.dressed({ version, aliases: [], builds: {} }));
    for (const [version, { recipe }] of Array.isArray(found) ? others : []) {
      const problem = "sources.yaml tells of it under releases, its source has no such version";
      if (!recipe) this.tell(`${this.source.name}:${version}`, problem, true);
    }
    const offered = judged.filter(({ builds, recipe }) => recipe || Object.keys(builds).length > 0);
    return namedOnce([...offered, ...recipes]);
  }

  private isNamed({ version }: FoundVersion): boolean {
    if (isWord(version)) return true;
    this.tell(this.source.name, `its source names a version ${JSON.stringify(version)}`, true);
    return false;
  }

  private failed({ failed }: Failed): void {
    const { name } = this.source;
    const none = this.known === undefined;
    const long = this.known?.versions.some(({ builds }) =>
      Object.values(builds).some(({ stale }) => this.overdue(stale))
    );
    this.tell(name, failed, none || (long ?? false));
  }

  private version(found: FoundVersion): Version {
    const known = this.predecessor(found);
    const back = found.rolling && known && compareVersions(found.version, known.version) < 0;
    if (back && !this.accepted(known.version)) {
      const problem = `its source goes back from ${known.version} to ${found.version}`;
      this.tell(`${this.source.name}:${known.version}`, problem, true);
      return this.stalled(known, { failed: problem });
    }
    const builds: Version["builds"] = {};
    for (const architecture of architectures) {
      const build = this.build(found, architecture, known?.builds[architecture]);
      if (build) builds[architecture] = build;
    }
    return this.dressed({ version: found.version, aliases: found.aliases ?? [], builds });
  }

  private predecessor(found: FoundVersion): Version | undefined {
    const versions = this.known?.versions;
    return found.rolling
      ? versions?.[0]
      : versions?.find(({ version }) => version === found.version);
  }

  private build(
    { version, builds }: FoundVersion,
    architecture: Architecture,
    known: Build | undefined,
  ): Build | undefined {
    const about = `${this.source.name}:${version} ${architecture}`;
    const offered = builds[architecture];
    const hold = (problem: string, needsPerson: boolean): Build | undefined => {
      this.tell(about, problem, needsPerson || known === undefined || this.overdue(known.stale));
      return known && this.stale(known, problem);
    };
    if (offered === undefined) {
      if (!known || this.accepted(version)) return undefined;
      return hold("its source no longer offers it", true);
    }
    if ("failed" in offered) return hold(offered.failed, false);
    const read = buildSchema.safeParse(entryOf(this.source, offered, { version, architecture }));
    if (!read.success) {
      const [issue] = read.error.issues;
      return hold(`its source tells of a wrong ${issue!.path.join(".")}: ${issue!.message}`, true);
    }
    if (!known || this.accepted(version)) return read.data;
    if (sameAddress(known, read.data) && known.digest !== read.data.digest) {
      return hold(`its digest changed under an unchanged address, to ${read.data.digest}`, true);
    }
    if (goesBack(known, read.data)) return hold(`its source goes back to ${offered.url}`, true);
    return read.data;
  }

  /** A version that its source tells nothing of any more. */
  private gone(known: Version): Version[] {
    if (this.accepted(known.version)) return [];
    const problem = "its source no longer has this version";
    this.tell(`${this.source.name}:${known.version}`, problem, true);
    return [this.stalled(known, { failed: problem })];
  }

  private stalled(known: Version, { failed }: Failed): Version {
    const builds = Object.entries(known.builds).map(([architecture, build]) =>
      [architecture, this.stale(build, failed)] as const
    );
    return { ...known, builds: Object.fromEntries(builds) };
  }

  /** The first failure stays: a catalog doesn't change because a source goes on failing. */
  private stale(build: Build, reason: string): Build {
    const since = this.terms.today;
    return { ...build, stale: build.stale ?? { since, reason: reason.slice(0, 500) } };
  }

  /** With what its source says of this version by itself. */
  private dressed({ version, aliases, builds }: Version): Version {
    const { aliases: own = [], recipe } = this.source.releases[version] ?? {};
    const words = [...new Set([...aliases, ...own])]
      .filter((word) => isWord(word) && word !== "latest").sort();
    return { version, aliases: words, builds, ...(recipe ? { recipe } : {}) };
  }

  private overdue(stale: Build["stale"]): boolean {
    if (!stale) return false;
    const days = (Date.parse(this.terms.today) - Date.parse(stale.since)) / 86_400_000;
    return days >= PATIENCE_DAYS;
  }

  private accepted(version: string): boolean {
    return this.terms.accepted(this.source.name, version);
  }

  private tell(about: string, problem: string, needsPerson: boolean): void {
    this.problems.push({ about, problem, needsPerson });
  }
}
