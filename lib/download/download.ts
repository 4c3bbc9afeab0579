import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { files } from "../store/files.ts";
import { retireLock, takeLock } from "../store/lock.ts";
import { removeIfThere } from "../store/record.ts";
import { sha256 } from "../sha256.ts";
import { downloadedBytes, downloadLock, readDownload, sweepDownloads } from "./partial.ts";
import { PartialFile } from "./partial_file.ts";
import { progressOf } from "./progress.ts";
import { Pull } from "./pull.ts";
import { RETRIES, type Retries } from "./retries.ts";

export { type PartialDownload, partialDownloads, removePartial } from "./partial.ts";
export { RETRIES, type Retries } from "./retries.ts";

const PATIENCE_MS = 24 * 3600 * 1000;
const LOOK_EVERY_MS = 500;

/** A file to download. */
export interface Wanted {
  /** Addresses of the same bytes in the order they are tried; each one file, or its parts in order. */
  sources: string[][];
  /** The published digest (sha256:/sha512:); absent only where the caller chose to go without. */
  digest?: string;
  sizeBytes?: number;
  /** What it is called in progress and errors: `debian:12`. */
  label: string;
}

/** A file that was downloaded and is what was published. */
export interface Downloaded {
  path: string;
  /** The published one, or the sha256 of the bytes without one. */
  digest: string;
  /** `sha256:...` of the file's bytes. */
  sha256: string;
  sizeBytes: number;
  /** The first address that delivered it, before redirects. */
  url: string;
}

/** How to download: patience, and a way to find out that it is not needed. */
export interface DownloadOptions<T> extends Partial<Retries> {
  /** Asked when nobody else is at it: what another process has stored meanwhile. */
  present?: () => Promise<T | undefined>;
}

/**
 * Downloads a file, verifies it and calls `store` while it is held; afterwards the file is gone.
 * What is interrupted, by a kill too, goes on from where it was; two processes download once.
 */
export async function withDownload<T>(
  context: Context,
  wanted: Wanted,
  store: (file: Downloaded) => Promise<T>,
  options: DownloadOptions<T> = {},
): Promise<T> {
  await sweepDownloads(context);
  const { present, ...retries } = options;
  const key = await keyOf(wanted);
  const lock = await waitForTurn(context, wanted, key);
  try {
    const stored = await present?.();
    if (stored !== undefined) {
      await removeIfThere(files.download(context.home, key));
      return stored;
    }
    const file = await download(context, wanted, key, { ...RETRIES, ...retries });
    const result = await store(file).catch(async (error) => {
      // What is refused once is refused again; after anything else the bytes are good for more.
      if (isRefusal(error)) await removeIfThere(files.download(context.home, key));
      throw error;
    });
    await removeIfThere(files.download(context.home, key));
    return result;
  } finally {
    await retireLock(lock);
  }
}

async function download(
  context: Context,
  wanted: Wanted,
  key: string,
  retries: Retries,
): Promise<Downloaded> {
  const hashing = progressOf(context, "check", `Reading what is there of ${wanted.label}`);
  using partial = await PartialFile.open(context, key, wanted.digest, hashing);
  try {
    return await new Pull(context, wanted, partial, retries).run();
  } catch (error) {
    if (partial.size === 0) await removeIfThere(files.download(context.home, key));
    throw error;
  }
}

async function waitForTurn(context: Context, wanted: Wanted, key: string) {
  const { home } = context;
  const { label } = wanted;
  const report = progressOf(context, "download", `Another process downloads ${label}`);
  const look = async () => {
    const record = await readDownload(home, key);
    const { size } = await Deno.stat(downloadedBytes(home, key));
    report(size, record?.totalBytes ?? wanted.sizeBytes);
  };
  const looking = setInterval(() => look().catch(() => {}), LOOK_EVERY_MS); // it ends at any moment
  try {
    return await takeLock(context, {
      what: downloadLock(key),
      doing: `download ${label}`,
      patienceMs: PATIENCE_MS,
    });
  } finally {
    clearInterval(looking);
  }
}

async function keyOf({ digest, sources }: Wanted): Promise<string> {
  if (digest !== undefined) return digest.replace(":", "-");
  return `address-${await sha256(sources[0]!.join("\n"))}`;
}

function isRefusal(error: unknown): boolean {
  return error instanceof NidoError &&
    ["integrity", "denied", "invalid_input"].includes(error.code);
}
