import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { downloadFiles, files } from "../store/files.ts";
import { isLocked, retireLock, tryLockFile } from "../store/lock.ts";
import { namesIn, readRecord, removeIfThere, writeRecord } from "../store/record.ts";

const FORGOTTEN_MS = 7 * 24 * 3600 * 1000;
const KEY = /^(sha256|sha512|address)-[0-9a-f]+$/;

/** `downloads/<key>/download.json`: what the bytes beside it are. */
export const downloadRecord = z.object({
  schemaVersion: z.literal(1),
  label: z.string(),
  /** The file, or its parts in order. */
  addresses: z.array(z.string()).min(1),
  /** Which part is under way, and at which byte of the file it begins. */
  part: z.number(),
  partStart: z.number(),
  /** How long the part is, and how its server marks this version of it. */
  partBytes: z.number().optional(),
  etag: z.string().optional(),
  lastModified: z.string().optional(),
  /** Bytes of the whole file, where they are known. */
  totalBytes: z.number().optional(),
});
export type DownloadRecord = z.output<typeof downloadRecord>;

/** A download that has not ended: interrupted, or under way in some process. */
export interface PartialDownload {
  key: string;
  /** What it is of, where its record tells. */
  label?: string;
  sizeBytes: number;
  totalBytes?: number;
  modifiedAt: string;
  /** A process is at it. */
  busy: boolean;
}

/** The lock of a download. */
export function downloadLock(key: string): string {
  return `download-${key}`;
}

/** The record of a download; one that can't be read counts as none, and the download begins anew. */
export async function readDownload(home: string, key: string): Promise<DownloadRecord | undefined> {
  try {
    return await readRecord(join(files.download(home, key), downloadFiles.record), downloadRecord);
  } catch (error) {
    if (error instanceof NidoError) return undefined;
    throw error;
  }
}

/** Writes the record of a download. */
export async function writeDownload(home: string, key: string, record: DownloadRecord) {
  await writeRecord(join(files.download(home, key), downloadFiles.record), record);
}

/** Where the bytes of a download are. */
export function downloadedBytes(home: string, key: string): string {
  return join(files.download(home, key), downloadFiles.bytes);
}

/** All downloads that have not ended. */
export async function partialDownloads(home: string): Promise<PartialDownload[]> {
  const keys = (await namesIn(files.downloads(home))).filter((name) => KEY.test(name));
  return await Promise.all(keys.map((key) => lookAt(home, key)));
}

async function lookAt(home: string, key: string): Promise<PartialDownload> {
  const bytes = await statIfThere(downloadedBytes(home, key));
  const stat = bytes ?? await statIfThere(files.download(home, key));
  const record = await readDownload(home, key);
  return {
    key,
    label: record?.label,
    sizeBytes: bytes?.size ?? 0,
    totalBytes: record?.totalBytes,
    modifiedAt: (stat?.mtime ?? new Date()).toISOString(),
    busy: await isLocked(files.lock(home, downloadLock(key))),
  };
}

/** Removes an interrupted download; one that a process is at is `busy`. Gives the bytes it had. */
export async function removePartial(context: Context, key: string): Promise<number> {
  if (!KEY.test(key)) throw absent(key);
  const lock = await tryLockFile(files.lock(context.home, downloadLock(key)), "remove a download");
  if (!lock) {
    throw new NidoError("busy", `Cannot remove the download ${key}: a process is at it`, {
      details: { key },
    });
  }
  try {
    const { size } = await statIfThere(downloadedBytes(context.home, key)) ?? { size: 0 };
    await removeIfThere(files.download(context.home, key));
    return size;
  } finally {
    await retireLock(lock);
  }
}

/** Removes the downloads that nobody has resumed for a week, and what a kill left without a byte. */
export async function sweepDownloads(context: Context): Promise<void> {
  const before = context.now().getTime() - FORGOTTEN_MS;
  for (const { key, sizeBytes, modifiedAt, busy } of await partialDownloads(context.home)) {
    if (busy || (sizeBytes > 0 && Date.parse(modifiedAt) > before)) continue;
    await removePartial(context, key).catch((error) => {
      // Race: somebody resumes it at this moment.
      if (!(error instanceof NidoError && error.code === "busy")) throw error;
    });
  }
}

async function statIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function absent(key: string): NidoError {
  return new NidoError("not_found", `No download ${JSON.stringify(key)}`, { details: { key } });
}
