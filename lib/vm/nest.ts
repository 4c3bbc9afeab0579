import { join } from "node:path";
import type { Context } from "../context.ts";
import { generateKeyPair, homeKey } from "../guest/keys.ts";
import { ownCloudConfig, type Seed, seedImage } from "../guest/seed.ts";
import { overruledKeys } from "../guest/user_data.ts";
import { holdDisk } from "../image/hold.ts";
import { requireFirmware } from "../qemu/firmware.ts";
import { emptyOverlay } from "../qemu/overlay.ts";
import { files, vmFiles } from "../store/files.ts";
import { retireLock, takeLock } from "../store/lock.ts";
import { writeNewFile } from "../store/record.ts";
import { stage } from "../store/staging.ts";
import { friendlyName } from "./name.ts";
import { nameTaken, type Plan } from "./plan.ts";
import { knownHostsLine } from "./ssh_access.ts";
import { findVm, openSoundVm, type SoundVm, vmLock } from "./vm.ts";

/**
 * Takes a free name, builds the VM's folder in staging, renames it into place and hands the VM over,
 * all under the name's lock: nobody starts, deletes or replaces it in between.
 */
export async function nest<T>(
  context: Context,
  plan: Plan,
  use: (vm: SoundVm) => Promise<T>,
): Promise<T> {
  for (let attempt = 0;; attempt++) {
    const name = plan.name ?? friendlyName(attempt);
    context.report({ stage: "disk", message: `making the nest of "${name}"` });
    using lock = await takeLock(context, vmLock(name, "spawn"));
    if (!await findVm(context, name)) {
      try {
        return await use(await build(context, name, plan));
      } catch (error) {
        await retireLock(lock);
        throw error;
      }
    }
    if (plan.name) throw nameTaken(plan.name);
  }
}

async function build(context: Context, name: string, plan: Plan): Promise<SoundVm> {
  using _disk = await holdDisk(context, plan.image, `spawn VM "${name}"`);
  const destination = files.vm(context.home, name);
  await stage(context, destination, (folder) => fill(context, folder, name, plan));
  return await openSoundVm(context, name);
}

async function fill(context: Context, folder: string, name: string, plan: Plan): Promise<void> {
  const { image, record } = plan;
  const [own, hostKey] = await Promise.all([homeKey(context), generateKeyPair(name)]);
  record.hostKey = hostKey.public.split(" ").slice(0, 2).join(" ");
  const seed: Seed = {
    instanceId: record.id,
    hostname: name,
    user: record.user,
    authorizedKeys: [own.public, ...plan.callersKeys],
    hostKey,
    userData: plan.userData,
  };
  const contents: Record<string, string | Uint8Array> = {
    [vmFiles.disk]: emptyOverlay(image.diskPath, plan.diskBytes),
    [vmFiles.seed]: await seedImage(seed),
    [vmFiles.knownHosts]: knownHostsLine(record.hostKey),
    [vmFiles.record]: JSON.stringify(record, null, 2) + "\n",
  };
  if (record.firmware === "uefi") {
    const { vars } = await requireFirmware(context, record.architecture);
    contents[vmFiles.firmwareVars] = await Deno.readFile(vars);
  }
  await Promise.all(
    Object.entries(contents).map(([file, content]) => writeNewFile(join(folder, file), content)),
  );
  if (plan.userData === undefined) return;
  const overruled = await overruledKeys(ownCloudConfig(seed), plan.userData);
  plan.notes.push(...overruled.map((key) => `user-data's ${key} was replaced by Nido's own`));
}
