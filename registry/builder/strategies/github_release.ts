import { z } from "zod";
import { compareVersions } from "../../../lib/catalog/compare_versions.ts";
import { NidoError } from "../../../lib/errors.ts";
import { Checksums } from "../checksums.ts";
import { type Found, rolling, strategy } from "../discovery.ts";
import type { Fetch } from "../fetch.ts";
import { readIndex } from "../index_file.ts";
import { literal, newestFirst } from "../newest.ts";

const PER_PAGE = 100;
const MAX_PAGES = 50;

const release = z.object({
  tag_name: z.string(),
  draft: z.boolean().default(false),
  prerelease: z.boolean().default(false),
  html_url: z.url({ protocol: /^https$/ }),
  assets: z.array(z.object({
    name: z.string(),
    size: z.int().min(1),
    browser_download_url: z.url({ protocol: /^https$/ }),
  })),
});
type Release = z.output<typeof release>;
type Asset = Release["assets"][number];

/**
 * Flavours in GitHub releases: `flavour-<name>[-v<version>].qcow2`, packed (`.zst`) or in parts
 * (`.001`, `.002`, ...), with the SHA-256 of the whole file beside it. Without a version in its name,
 * a flavour has that of its release's tag. `at` is the releases' address in GitHub's API.
 */
export default strategy({
  options: z.object({
    flavour: z.string().regex(/^[a-z0-9][a-z0-9-]*$/).describe("The flavour's name"),
    suffixes: z.strictObject({ x86_64: z.string(), aarch64: z.string() }).default({
      x86_64: "",
      aarch64: "-aarch64",
    }).describe("What follows its name for each architecture"),
  }),
  async discover(source, fetch) {
    const releases = await allReleases(source.at, fetch);
    return await rolling(source, async (architecture) => {
      const stem = `flavour-${source.flavour}${source.suffixes[architecture]}`;
      const [newest] = flavours(releases, stem);
      if (newest !== undefined) return await fileOf(newest, fetch);
      throw new NidoError("not_found", `Cannot find ${stem}: no release of ${source.at} has it`);
    });
  },
});

async function allReleases(at: string, fetch: Fetch): Promise<Release[]> {
  const releases: Release[] = [];
  for (let page = 1; page <= MAX_PAGES; page++) {
    const address = `${at}releases?per_page=${PER_PAGE}&page=${page}`;
    const read = readIndex(await fetch(address), z.array(release));
    releases.push(...read);
    if (read.length < PER_PAGE) return releases.filter((one) => !one.draft && !one.prerelease);
  }
  throw new NidoError("exhausted", `Cannot read the releases of ${at}: over ${MAX_PAGES} pages`);
}

interface Flavour {
  version: string;
  /** The name of the whole file, packed as it may be. */
  name: string;
  release: Release;
}

/** The flavours of this name in all releases, the newest first. */
function flavours(releases: Release[], stem: string): Flavour[] {
  const pattern = new RegExp(
    `^(${literal(stem)}(?:-v(\\d[\\w.]*?))?\\.qcow2(?:\\.zst)?)(?:\\.\\d{3})?$`,
  );
  const all = releases.flatMap((release) =>
    release.assets.flatMap((asset): Flavour[] => {
      const [, name, version = release.tag_name.replace(/^v/, "")] = pattern.exec(asset.name) ?? [];
      return name === undefined ? [] : [{ version, name, release }];
    })
  );
  return all.sort((a, b) => compareVersions(b.version, a.version) || a.name.length - b.name.length);
}

async function fileOf(
  { version, name, release }: Flavour,
  fetch: Fetch,
): Promise<Found & { version: string }> {
  const sums = release.assets.find((asset) => asset.name === `${name}.sha256`);
  if (sums === undefined) {
    throw new NidoError(
      "not_found",
      `Cannot use ${name}: ${release.html_url} has no ${name}.sha256`,
    );
  }
  const checksums = new Checksums(await fetch(addressOf(sums)));
  const { digest } = checksums.ofItsOnly(name);
  return {
    version,
    ...placeOf(name, release),
    digest,
    ...(name.endsWith(".zst") ? { packing: "zst" } : {}),
  };
}

/** The whole file where it is there, else its parts, of which none may be missing. */
function placeOf(name: string, release: Release): Pick<Found, "url" | "partUrls" | "sizeBytes"> {
  const whole = release.assets.find((asset) => asset.name === name);
  if (whole) return { url: addressOf(whole), sizeBytes: whole.size };
  const parts = newestFirst(
    release.assets.map((asset) => asset.name),
    new RegExp(`${literal(name)}\\.(\\d{3})`),
  ).reverse();
  const first = Number(parts[0]!.version);
  if (
    parts.length < 2 || first > 1 || parts.some(({ version }, at) => Number(version) !== first + at)
  ) {
    throw new NidoError("integrity", `Cannot use ${name}: ${release.html_url} lacks parts of it`);
  }
  const assets = parts.map(({ name }) => release.assets.find((asset) => asset.name === name)!);
  const sizeBytes = assets.reduce((sum, { size }) => sum + size, 0);
  return { url: release.html_url, partUrls: assets.map(addressOf), sizeBytes };
}

/** Where an asset is; an address that ends in another name is another file's. */
function addressOf({ name, browser_download_url: address }: Asset): string {
  if (address.endsWith(`/${name}`)) return address;
  throw new NidoError("integrity", `Cannot use ${name}: its address is ${address}`);
}
