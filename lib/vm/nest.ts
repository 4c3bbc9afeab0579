import { join } from "node:path";
import type { Context } from "../context.ts";
import { generateKeyPair, homeKey } from "../guest/keys.ts";
import { ownCloudConfig, type Seed, seedImage } from "../guest/seed.ts";
import { overruledKeys } from "../guest/user_data.ts";
import { holdDisk } from "../image/hold.ts";
import { requireFirmware } from "../qemu/firmware.ts";
import { emptyOverlay } from "../qemu/overlay.ts";
import { files, vmFiles } from "../store/files.ts";
import { withLock } from "../store/lock.ts";
import { writeNewFile } from "../store/record.ts";
import { stage } from "../store/staging.ts";
import { friendlyName } from "./name.ts";
import { nameTaken, type Plan } from "./plan.ts";
import { knownHostsLine } from "./reach.ts";
import { findVm, mustBeSound, type SoundVm, vmLock } from "./vm.ts";

/** Builds the VM's folder in staging and renames it into place, under its name's lock. */
export async function nest(context: Context, plan: Plan): Promise<SoundVm> {
  for (let attempt = 0;; attempt++) {
    const name = plan.name ?? friendlyName(attempt);
    context.report({ stage: "disk", message: `making the nest of "${name}"` });
    const vm = await withLock(context, vmLock(name, "spawn"), async () => {
      if (await findVm(context, name)) return undefined;
      using _disk = await holdDisk(context, plan.image, `spawn VM "${name}"`);
      await stage(
        context,
        files.vm(context.home, name),
        (folder) => fill(context, folder, name, plan),
      );
      return await findVm(context, name);
    });
    if (vm) return mustBeSound(vm);
    if (plan.name) throw nameTaken(plan.name);
  }
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
