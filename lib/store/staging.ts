import { join } from "node:path";
import type { Context } from "../context.ts";
import { files } from "./files.ts";
import { type Lock, retireLock, tryLockFile } from "./lock.ts";
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

/** Lends a private folder that is gone afterwards, whatever happens; sweeps those of the dead. */
export async function withStaging<T>(
  context: Context,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  await sweepStaging(context.home);
  const { folder, lock } = await lockFreshFolder(context.home);
  using _held = lock; // also when what was built can't be removed
  try {
    await Deno.mkdir(folder, { mode: 0o700 });
    return await use(folder);
  } finally {
    await removeIfThere(folder);
    await retireLock(lock);
  }
}

async function lockFreshFolder(home: string): Promise<{ folder: string; lock: Lock }> {
  for (;;) {
    const folder = join(files.staging(home), crypto.randomUUID());
    const lock = await tryLockFile(`${folder}.lock`, "build");
    if (lock) return { folder, lock };
    // Race: a sweeper found our lock file before we had locked it. It removes that one; try anew.
  }
}

/** Removes staging folders whose maker is dead; returns their names. */
export async function sweepStaging(home: string): Promise<string[]> {
  const swept: string[] = [];
  const names = await namesIn(files.staging(home));
  for (const name of new Set(names.map((entry) => entry.replace(/\.lock$/, "")))) {
    const folder = join(files.staging(home), name);
    using lock = await tryLockFile(`${folder}.lock`, "sweep");
    if (!lock) continue;
    await removeIfThere(folder);
    await retireLock(lock);
    swept.push(name);
  }
  return swept;
}
