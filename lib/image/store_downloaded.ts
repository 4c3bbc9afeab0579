import { join } from "node:path";
import type { Packing } from "../catalog/catalog.ts";
import type { Context } from "../context.ts";
import type { Downloaded } from "../download/download.ts";
import { chooseFormat } from "./choose_format.ts";
import { compressionOf } from "./decompress.ts";
import type { DiskFormat } from "./disk_format.ts";
import type { DiskFacts, DiskRecord } from "./image.ts";
import { HEADER_BYTES } from "./qcow2.ts";
import type { Refuse } from "./refuse.ts";
import { readFileHead, readWholeFile } from "./source_file.ts";
import { acceptLength, type Staged, stageSource } from "./stage_source.ts";
import { sameDisk, storedDisk, storeDisk } from "./store_disk.ts";

/** What a downloaded file was published as. */
export interface Published {
  /** Absent where nobody said it: the file's own marks decide, for the packing too. */
  format?: DiskFormat;
  packing?: Packing;
  facts?: DiskFacts;
  refuse: Refuse;
}

/**
 * Puts a verified file among the disks under its published digest. A plain qcow2 is moved there as it
 * is; anything else is unpacked and converted. The caller holds the disk's lock; `folder` is its
 * staging folder.
 */
export async function storeDownloaded(
  context: Context,
  folder: string,
  file: Downloaded,
  published: Published,
): Promise<DiskRecord> {
  const { format, refuse, facts } = published;
  const stored = await storedDisk(context.home, file.digest);
  if (stored) return sameDisk(stored, format, refuse);
  const head = await readFileHead(file.path, HEADER_BYTES);
  const staged = published.packing || compressionOf(head)
    ? await unpack(context, folder, file, published)
    : lookAt(head, file, published);
  return await storeDisk(context, folder, staged, refuse, facts);
}

async function unpack(
  context: Context,
  folder: string,
  { path, digest, sizeBytes, url }: Downloaded,
  { format, packing, refuse }: Published,
): Promise<Staged> {
  const bytes = readWholeFile(path);
  const source = { bytes, sizeBytes, digest, format, packing, label: url, refuse };
  return await stageSource(context, source, join(folder, "source"));
}

/** A file that is a disk as it is stays where it is until all of it is accepted. */
function lookAt(
  head: Uint8Array,
  { path, digest, sha256, sizeBytes, url }: Downloaded,
  { format, refuse }: Published,
): Staged {
  const expected = { format, label: url, refuse };
  const found = chooseFormat(head, expected);
  acceptLength(found, sizeBytes, expected);
  return { path, digest, unpackedDigest: sha256, ...found };
}
