import { basename, dirname, join } from "node:path";
import type { Context } from "../context.ts";
import { files } from "../store/files.ts";
import { readRecord, syncFolder, writeRecord } from "../store/record.ts";
import { digestOfFile, sealFile } from "../store/sealed_file.ts";
import { isPlain } from "./accept_qcow2.ts";
import { checkTables, confirmAlone, convertToPlain } from "./convert.ts";
import type { DiskFormat } from "./disk_format.ts";
import { acceptForeign } from "./foreign_disk.ts";
import { type DiskFacts, type DiskRecord, diskRecord } from "./image.ts";
import { readQcow2 } from "./qcow2.ts";
import type { Refuse } from "./refuse.ts";
import type { Staged } from "./stage_source.ts";

/**
 * Puts a staged source among the disks, or finds that it is there already. The caller holds the
 * disk's lock; `folder` is its staging folder.
 */
export async function storeDisk(
  context: Context,
  folder: string,
  staged: Staged,
  refuse: Refuse,
  facts?: DiskFacts,
): Promise<DiskRecord> {
  const stored = await storedDisk(context.home, staged.digest);
  if (stored) return sameDisk(stored, staged.format, refuse);
  const building = join(folder, "disk");
  await Deno.mkdir(building, { mode: 0o700 });
  const record = await buildDisk(context, building, staged, refuse, facts);
  await place(building, files.disk(context.home, staged.digest), folder);
  return record;
}

/** The disk that is stored already, unless it was stored as something else than is wanted now. */
export function sameDisk(
  stored: DiskRecord,
  format: DiskFormat | undefined,
  refuse: Refuse,
): DiskRecord {
  if (format === undefined || format === stored.sourceFormat) return stored;
  throw refuse(
    "already_exists",
    `the same bytes are stored as ${stored.sourceFormat}, and this asks for ${format}`,
    { hint: "nido images", details: { digest: stored.digest } },
  );
}

/** The record of a stored disk that is complete; a damaged one counts as absent. */
export async function storedDisk(
  home: string,
  digest: string,
): Promise<DiskRecord | undefined> {
  try {
    const record = await readRecord(files.diskRecord(home, digest), diskRecord);
    const { size } = await Deno.stat(files.diskImage(home, digest));
    return record?.storedSizeBytes === size ? record : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return undefined; // it is built anew and put in its place
  }
}

async function buildDisk(
  context: Context,
  building: string,
  staged: Staged,
  refuse: Refuse,
  facts?: DiskFacts,
): Promise<DiskRecord> {
  const disk = join(building, basename(files.diskImage("", staged.digest)));
  let plain = false;
  if (staged.format !== "raw") {
    context.report({ stage: "check", message: "Checking the disk" });
    await acceptForeign(staged, refuse);
    const clean = await checkTables(context, staged, refuse);
    await confirmAlone(context, staged, refuse);
    plain = clean && staged.header !== undefined && isPlain(staged.header);
  }
  if (plain) await Deno.rename(staged.path, disk);
  else await convertToPlain(context, staged, disk, refuse);
  const storedDigest = plain ? staged.unpackedDigest : await digestOfFile(context, disk);
  await sealFile(disk);
  const record: DiskRecord = {
    schemaVersion: 1,
    digest: staged.digest,
    storedDigest,
    storedSizeBytes: (await Deno.stat(disk)).size,
    virtualSizeBytes: (await readQcow2(disk)).virtualSizeBytes,
    sourceFormat: staged.format,
    sourceCompression: staged.packing,
    storedAt: context.now().toISOString(),
    facts,
  };
  context.signal.throwIfAborted();
  await writeRecord(join(building, basename(files.diskRecord("", staged.digest))), record);
  return record;
}

/** Renames a complete disk into place; a damaged one there moves into the staging folder first. */
async function place(building: string, destination: string, folder: string): Promise<void> {
  await Deno.mkdir(dirname(destination), { recursive: true, mode: 0o700 });
  try {
    await Deno.rename(destination, join(folder, "damaged"));
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.rename(building, destination);
  await syncFolder(dirname(destination));
}
