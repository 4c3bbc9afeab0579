import { type Context, uninterrupted } from "../context.ts";
import type { CustomizeRecipe } from "../recipe/recipe.ts";
import { files } from "../store/files.ts";
import { retireLock, tryLockFile } from "../store/lock.ts";
import { removeVm } from "../vm/delete.ts";
import { spawnInput } from "../vm/plan.ts";
import { spawn } from "../vm/spawn.ts";
import { listVms } from "../vm/vm.ts";

/** The label of a VM in which an image is made: the image's name. */
export const BUILD_LABEL = "nido/build";

const SLACK_SECONDS = 3600;

/** What is lent to the one who customizes. */
export interface ThrownAway {
  vm: string;
  problems: string[];
}

/**
 * Lends a VM of a recipe's base that is gone afterwards, however it ends: a lock tells that its maker
 * lives, the next build deletes those of the dead, and the end of a lease does too.
 */
export async function withThrowAwayVm<T>(
  context: Context,
  { recipe, base, image }: { recipe: CustomizeRecipe; base: string; image: string },
  use: (lent: ThrownAway) => Promise<T>,
): Promise<T> {
  await sweepBuilds(context);
  const { cpus, memoryMib, diskGib, userData, timeoutSeconds, scripts } = recipe;
  const vm = `build-${crypto.randomUUID().slice(0, 8)}`;
  const lock = await tryLockFile(files.lock(context.home, lockOf(vm)), `build image "${image}"`);
  const request = spawnInput.parse({
    name: vm,
    image: base,
    cpus,
    memoryMib,
    diskGib,
    userData,
    timeoutSeconds,
    labels: { [BUILD_LABEL]: image },
    ttlSeconds: Math.min(31_536_000, timeoutSeconds * (scripts.length + 3) + SLACK_SECONDS),
    onExpiry: "delete",
    rmOnFailure: true,
  });
  try {
    const { problems } = await spawn(context, request);
    return await use({ vm, problems });
  } finally {
    await removeVm(uninterrupted(context), vm, { force: true });
    if (lock) await retireLock(lock);
  }
}

/** Deletes the VMs of builds whose maker is dead. */
async function sweepBuilds(context: Context): Promise<void> {
  for (const { name, record } of await listVms(context)) {
    if (record?.labels[BUILD_LABEL] === undefined) continue;
    const lock = await tryLockFile(files.lock(context.home, lockOf(name)), "sweep");
    if (!lock) continue;
    await removeVm(context, name, { force: true, id: record.id });
    await retireLock(lock);
  }
}

function lockOf(vm: string): string {
  return `building-${vm}`;
}
