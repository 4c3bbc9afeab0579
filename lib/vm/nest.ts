import { join } from "node:path";
import { type Context, uninterrupted } from "../context.ts";
import { friendlyName } from "../friendly_name.ts";
import { isThereStill, type Moment } from "../moment/moment.ts";
import { files, momentFiles } from "../store/files.ts";
import { retireLock, takeLock } from "../store/lock.ts";
import { stage } from "../store/staging.ts";
import { discard } from "./discard.ts";
import { fillFolder } from "./folder.ts";
import { nameTaken, type Plan } from "./plan.ts";
import { findVm, openSoundVm, type SoundVm, vmLock } from "./vm.ts";

/** Makes the VM of a plan, under a friendly name where it has none, and hands it over. */
export async function nest<T>(
  context: Context,
  plan: Plan,
  use: (vm: SoundVm) => Promise<T>,
): Promise<T> {
  for (let attempt = 0;; attempt++) {
    const name = plan.name ?? friendlyName(attempt);
    context.report({ stage: "disk", message: `making the nest of "${name}"` });
    const made = await underFreeName(context, name, () => build(context, name, plan), use);
    if (made !== undefined) return made;
    if (plan.name) throw nameTaken(plan.name);
  }
}

/**
 * Builds a VM and hands it over, all under its name's lock: nobody starts, deletes or replaces it in
 * between. Whatever fails, nothing of it stays. Gives undefined when the name is taken.
 */
export async function underFreeName<T>(
  context: Context,
  name: string,
  build: () => Promise<SoundVm>,
  use: (vm: SoundVm) => Promise<T>,
): Promise<T | undefined> {
  using lock = await takeLock(context, vmLock(name, "spawn"));
  if (await findVm(context, name)) return undefined;
  try {
    return await use(await build());
  } catch (error) {
    const left = await findVm(context, name);
    if (left) await discard(uninterrupted(context), left);
    await retireLock(lock);
    throw error;
  }
}

async function build(context: Context, name: string, plan: Plan): Promise<SoundVm> {
  using _held = await plan.base.hold(context, `spawn VM "${name}"`);
  // Race: whoever holds the base may have made it warm anew since we chose.
  if (plan.moment && !await isThereStill(plan.moment)) {
    plan.moment = undefined;
    delete plan.record.wake;
  }
  const { base, moment } = plan;
  await stage(context, files.vm(context.home, name), async (folder) => {
    const overruled = await fillFolder(context, folder, {
      hostname: name,
      record: plan.record,
      ...(moment
        ? above(moment, plan.diskBytes)
        : { below: base.diskPath, diskBytes: plan.diskBytes }),
      callersKeys: plan.callersKeys,
      userData: plan.userData,
    });
    plan.notes.push(...overruled.map((key) => `user-data's ${key} was replaced by Nido's own`));
  });
  return await openSoundVm(context, name);
}

/** A disk above a moment's; it grows to its own size when its guest has woken. */
function above({ folder, record }: Moment, diskBytes: number) {
  return {
    below: join(folder, momentFiles.disk),
    diskBytes: record.virtualSizeBytes,
    growsTo: diskBytes > record.virtualSizeBytes ? diskBytes : undefined,
    firmwareVars: join(folder, momentFiles.firmwareVars),
  };
}
