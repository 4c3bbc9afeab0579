import { z } from "zod";
import { digest as digestShape } from "../digest.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { type DiskRecord, diskRecord, imageNames, imageRecord } from "../image/image.ts";
import { diskUseBytes } from "../image/unused_disks.ts";
import { usersOfDisks } from "../image/users.ts";
import { files } from "../store/files.ts";
import { namesIn, readRecord } from "../store/record.ts";

/** A stored disk as operations give it. */
export const cachedDisk = z.strictObject({
  digest: z.string().describe("What it is: the published digest of its source"),
  state: z.enum(["ready", "broken"]).describe("A broken one lacks its record or its disk"),
  images: z.array(z.string()).describe("The images that mean it; none: it was superseded"),
  diskBytes: z.number().describe("What it takes on this host, in bytes"),
  virtualSizeBytes: z.number().optional().describe("The size that a guest sees, in bytes"),
  sourceFormat: z.string().optional().describe("What its source was, and how that was packed"),
  storedDigest: z.string().optional().describe("Digest of the stored disk"),
  source: z.string().optional().describe("The address that it was pulled from"),
  storedAt: z.string().optional().describe("When it was stored (RFC 3339)"),
  usedBy: z.array(z.string()).describe("What stands on it"),
});
export type CachedDisk = z.output<typeof cachedDisk>;

/** A stored disk, and what decides whether it may go. */
export interface Cached extends CachedDisk {
  /** The images that it is or was a state of. */
  families: string[];
  /** Every image that means it can be pulled again. */
  isPulled: boolean;
  /** Images that can't be read, and may mean it. */
  unreadable: string[];
}

/** All stored disks, with what means them and what stands on them. */
export async function cachedDisks(home: string): Promise<Cached[]> {
  const folders = await namesIn(files.disks(home));
  const digests = folders.map((folder) => folder.replace("-", ":"))
    .filter((name) => digestShape.safeParse(name).success); // a file manager may leave files there
  const users = await usersOfDisks(home, digests);
  const { named, unreadable } = await namedDisks(home);
  return await Promise.all(digests.map(async (digest): Promise<Cached> => {
    const record = await recordOf(home, digest);
    const images = named.get(digest) ?? [];
    const diskBytes = await diskUseBytes(files.diskImage(home, digest));
    return {
      digest,
      state: record && diskBytes > 0 ? "ready" : "broken",
      images: images.map(({ name }) => name),
      diskBytes,
      virtualSizeBytes: record?.virtualSizeBytes,
      sourceFormat: record && [record.sourceFormat, record.sourceCompression].filter((part) => part)
        .join("."),
      storedDigest: record?.storedDigest,
      source: record?.facts?.source.url,
      storedAt: record?.storedAt,
      usedBy: users.get(digest) ?? [],
      families: images.length > 0
        ? images.map(({ name }) => name)
        : [record?.facts?.name ?? digest],
      isPulled: images.every(({ isPulled }) => isPulled),
      unreadable,
    };
  }));
}

/** The stored disk that a digest, or an unmistakable beginning of it, means. */
export async function openCached(home: string, wanted: string): Promise<Cached> {
  const found = (await cachedDisks(home)).filter(({ digest }) =>
    digest.startsWith(wanted) || digest.split(":")[1]!.startsWith(wanted)
  );
  if (found.length === 1) return found[0]!;
  const fact = found.length === 0 ? "No stored disk" : `${found.length} stored disks begin with`;
  throw new NidoError("not_found", `${fact} ${wanted}`, {
    hint: "nido cache list",
    details: { wanted, found: found.map(({ digest }) => digest) },
  });
}

/** The same as callers see it. */
export function shownDisk(
  { families: _, isPulled: __, unreadable: ___, ...disk }: Cached,
): CachedDisk {
  return disk;
}

interface NamedDisks {
  /** By digest. */
  named: Map<string, { name: string; isPulled: boolean }[]>;
  unreadable: string[];
}

async function namedDisks(home: string): Promise<NamedDisks> {
  const { named, unreadable }: NamedDisks = { named: new Map(), unreadable: [] };
  for (const name of await imageNames(home)) {
    try {
      const record = await readRecord(files.image(home, name), imageRecord);
      if (!record) continue; // removed since its name was read
      const { digest, source } = record;
      named.set(digest, [...named.get(digest) ?? [], { name, isPulled: "url" in source }]);
    } catch {
      unreadable.push(name); // image.list tells what is wrong with it
    }
  }
  return { named, unreadable };
}

async function recordOf(home: string, digest: string): Promise<DiskRecord | undefined> {
  try {
    return await readRecord(files.diskRecord(home, digest), diskRecord);
  } catch (error) {
    if (toNidoError(error).code !== "integrity") throw error;
    return undefined;
  }
}
