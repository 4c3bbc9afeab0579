import { join } from "node:path";
import type { Context } from "../context.ts";
import { files } from "./files.ts";
import { retireLock, tryLockFile } from "./lock.ts";
import { namesIn, removeIfThere, syncFolder } from "./record.ts";

/**
 * Builds something in a folder of its own, then renames it into place: killed at any moment, there
 * is nothing or all of it. The folder is locked by this process, so that others know it is alive.
 * `build` returns nothing; what it leaves in the folder is what appears at `destination`.
 */
export async function stage(
  context: Context,
  destination: string,
  build: (folder: string) => Promise<void>,
): Promise<void> {
  await withStaging(context, async (folder) => {
    await build(folder);
    await Deno.rename(folder, destination);
    await syncFolder(join(destination, ".."));
  });
}

/** Lends a private folder that is gone afterwards, whatever happens. */
export async function withStaging<T>(
  context: Context,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(files.staging(context.home), crypto.randomUUID());
  const lock = await tryLockFile(`${folder}.lock`, "build");
  if (!lock) throw new Error(`a fresh staging lock is taken: ${folder}`);
  try {
    await Deno.mkdir(folder, { mode: 0o700 });
    return await use(folder);
  } finally {
    await removeIfThere(folder);
    await retireLock(lock);
  }
}

/** Removes staging folders whose maker is dead; returns their names. */
export async function sweepStaging(home: string): Promise<string[]> {
  const swept: string[] = [];
  const names = await namesIn(files.staging(home));
  for (const name of new Set(names.map((entry) => entry.replace(/\.lock$/, "")))) {
    const folder = join(files.staging(home), name);
    const lock = await tryLockFile(`${folder}.lock`, "sweep");
    if (!lock) continue;
    await removeIfThere(folder);
    await retireLock(lock);
    swept.push(name);
  }
  return swept;
}
