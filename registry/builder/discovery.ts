import type { z } from "zod";
import type { Packing } from "../../lib/catalog/catalog.ts";
import { compareVersions } from "../../lib/catalog/compare_versions.ts";
import { NidoError } from "../../lib/errors.ts";
import type { Fetch } from "./fetch.ts";

/** The architectures that the catalog holds, in the words of the kernel. */
export const architectures = ["x86_64", "aarch64"] as const;
export type Architecture = typeof architectures[number];

/** A file that a publisher offers now, as its own index tells of it. */
export interface Found {
  url: string;
  partUrls?: string[];
  digest: string;
  sizeBytes?: number;
  builtAt?: string;
  /** How it is packed, where that is not the same for all of its source. */
  packing?: Packing;
}

/** Why an architecture of a version could not be found out. */
export interface Failed {
  failed: string;
}

/** One version of an image as its publisher tells of it now. */
export interface FoundVersion {
  version: string;
  aliases?: string[];
  /** It takes the place of whatever version there was. */
  rolling?: boolean;
  builds: Partial<Record<Architecture, Found | Failed>>;
}

/** What every source gives its strategy. */
export interface Place {
  /** The folder that all its addresses are below; it ends in a slash. */
  at: string;
  architectures: Architecture[];
  /** What the images wanted boot from, for publishers that make one for each. */
  firmware: Record<Architecture, "bios" | "uefi">;
}

/** A plug-in: how the versions of one kind of source are found. */
export interface Strategy<O extends z.ZodObject = z.ZodObject> {
  /** What a source has besides the fields of all. */
  options: O;
  discover(source: Place & z.output<O>, fetch: Fetch): Promise<FoundVersion[]>;
}

/** Declares a strategy; its `discover` sees its own options too. */
export function strategy<O extends z.ZodObject>(declared: Strategy<O>): Strategy<O> {
  return declared;
}

/** Finds the file of each architecture; one that fails takes no other with it. */
export async function eachArchitecture(
  wanted: readonly Architecture[],
  find: (architecture: Architecture) => Found | undefined | Promise<Found | undefined>,
): Promise<FoundVersion["builds"]> {
  const found = await Promise.all(wanted.map(async (architecture) => {
    try {
      return [architecture, await find(architecture)] as const;
    } catch (thrown) {
      return [architecture, { failed: reason(thrown) }] as const;
    }
  }));
  return Object.fromEntries(found.filter(([, build]) => build !== undefined));
}

/** Finds each of some versions; one that fails takes no other with it. */
export async function eachVersion(
  source: Place,
  versions: { version: string; aliases?: string[] }[],
  find: (
    version: string,
    architecture: Architecture,
  ) => Found | undefined | Promise<Found | undefined>,
): Promise<FoundVersion[]> {
  return await Promise.all(versions.map(async (named) => ({
    ...named,
    builds: await eachArchitecture(
      source.architectures,
      (architecture) => find(named.version, architecture),
    ),
  })));
}

/**
 * Finds the one version of a publisher that has only the newest. Each architecture has its own newest
 * one; the newest of these names the version.
 */
export async function rolling(
  { architectures }: Place,
  find: (architecture: Architecture) => Promise<Found & { version: string }>,
): Promise<FoundVersion[]> {
  const versions: string[] = [];
  const builds = await eachArchitecture(architectures, async (architecture) => {
    const { version, ...build } = await find(architecture);
    versions.push(version);
    return build;
  });
  const [version] = versions.sort(compareVersions).slice(-1);
  if (version !== undefined) return [{ version, rolling: true, builds }];
  const [failure] = Object.values(builds).flatMap((build) => "failed" in build ? build.failed : []);
  throw new NidoError("unavailable", failure!);
}

/** What went wrong, in one line; only a defect of our own is thrown on. */
export function reason(thrown: unknown): string {
  if (thrown instanceof NidoError) return thrown.message;
  throw thrown;
}
