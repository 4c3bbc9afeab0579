import type { Context } from "../context.ts";
import { files } from "../store/files.ts";
import { isThere } from "../store/is_there.ts";
import { isLocked, retireLock, tryLockFile } from "../store/lock.ts";
import { namesIn } from "../store/record.ts";
import { removeRunFolder } from "../store/run_folder.ts";
import { removeConsoleLocks, removeMachine } from "../vm/discard.ts";

/** A folder that lends itself to one machine that no user sees. */
export interface Incubator {
  id: string;
  /** Like a VM's, and none that a VM can have. */
  name: string;
  folder: string;
}

/** Lends an incubator; afterwards its machine is ended and its folder gone, if it is still there. */
export async function withIncubator<T>(
  context: Context,
  use: (incubator: Incubator) => Promise<T>,
): Promise<T> {
  await sweepIncubators(context);
  for (;;) {
    const incubator = incubatorOf(context, crypto.randomUUID().slice(0, 8));
    using lock = await tryLockFile(`${incubator.folder}.lock`, "incubate");
    if (!lock) continue; // Race: a sweeper found our lock file before we had locked it
    try {
      await Deno.mkdir(incubator.folder, { mode: 0o700 });
      return await use(incubator);
    } finally {
      await clear(context, incubator);
      await retireLock(lock);
    }
  }
}

/** Incubators of commands that died; the machines of some may run on. */
export async function deadIncubators(context: Context): Promise<Incubator[]> {
  const all = await listIncubators(context);
  const held = await Promise.all(all.map(({ folder }) => isLocked(`${folder}.lock`)));
  return all.filter((_, index) => !held[index]);
}

/** Ends and removes the incubators of commands that died. */
export async function sweepIncubators(context: Context): Promise<void> {
  for (const incubator of await listIncubators(context)) {
    using lock = await tryLockFile(`${incubator.folder}.lock`, "sweep");
    if (!lock) continue;
    await clear(context, incubator);
    await retireLock(lock);
  }
}

/** All incubators, also those of commands that died. */
export async function listIncubators(context: Context): Promise<Incubator[]> {
  const names = await namesIn(files.incubators(context.home));
  const ids = new Set(names.map((entry) => entry.replace(/\.lock$/, "")));
  return [...ids].map((id) => incubatorOf(context, id));
}

function incubatorOf(context: Context, id: string): Incubator {
  return { id, name: `incubator.${id}`, folder: files.incubator(context.home, id) };
}

async function clear(context: Context, { name, folder }: Incubator): Promise<void> {
  if (await isThere(folder)) return await removeMachine(context, { name, folder });
  // Its folder became a moment, whose machine has ended, or was never made.
  await removeRunFolder(context.home, { name });
  await removeConsoleLocks(context.home, name);
}
