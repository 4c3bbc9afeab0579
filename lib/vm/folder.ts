import { join } from "node:path";
import type { Context } from "../context.ts";
import { generateKeyPair, homeKey } from "../guest/keys.ts";
import type { Identity, RenewalParts } from "../guest/renewal.ts";
import { layerAbove } from "../image/layer_above.ts";
import { ownCloudConfig, type Seed, SEED_BYTES, seedImage } from "../guest/seed.ts";
import { overruledKeys } from "../guest/user_data.ts";
import { requireFirmware } from "../qemu/firmware.ts";
import { emptyOverlay } from "../qemu/overlay.ts";
import { vmFiles } from "../store/files.ts";
import { writeNewFile } from "../store/record.ts";
import type { Awaited } from "./renewal.ts";
import { knownHostsLine } from "./ssh_access.ts";
import type { VmRecord } from "./vm.ts";

/** What a new machine's folder is made of. */
export interface Contents {
  hostname: string;
  /** Gets the host key that is made here. */
  record: VmRecord;
  /** The layer that its disk stands on. */
  below: string;
  /** The size of its disk; default that of the layer below. */
  diskBytes?: number;
  /** The size that the disk of a guest that wakes gets then. */
  growsTo?: number;
  /** The firmware variables to begin with; default the firmware's own. */
  firmwareVars?: string;
  /** Keys that may log in besides this home's own; absent: those that the guest has. */
  callersKeys?: string[];
  userData?: string;
  /** The memory that it wakes from holds connections to the outside; a base's holds none. */
  hasConnections?: boolean;
}

/**
 * Fills a new machine's folder: its disk, keys, seed and record, and for a guest that wakes from
 * memory who it is. Gives the settings of the caller's user-data that were overruled.
 */
export async function fillFolder(
  context: Context,
  folder: string,
  contents: Contents,
): Promise<string[]> {
  const { hostname, record, below, diskBytes, growsTo, callersKeys, userData } = contents;
  const [own, hostKey] = await Promise.all([homeKey(context), generateKeyPair(hostname)]);
  record.hostKey = hostKey.public.split(" ").slice(0, 2).join(" ");
  const identity: Identity = {
    hostname,
    instanceId: record.id,
    machineId: record.id.replaceAll("-", ""),
    hostKey,
    user: record.user,
    authorizedKeys: callersKeys && [own.public, ...callersKeys],
  };
  const seed: Seed = { ...identity, authorizedKeys: [own.public, ...callersKeys ?? []], userData };
  const written: Record<string, string | Uint8Array> = {
    [record.disk]: diskBytes === undefined
      ? await layerAbove(below)
      : emptyOverlay(below, diskBytes),
    [vmFiles.seed]: await seedImage(seed),
    [vmFiles.knownHosts]: knownHostsLine(record.hostKey),
    [vmFiles.record]: JSON.stringify(record, null, 2) + "\n",
  };
  if (record.wake) {
    const parts: RenewalParts = { identity };
    if (userData !== undefined) parts.userData = true;
    if (growsTo !== undefined) parts.growRoot = true;
    if (contents.hasConnections) parts.cutConnections = true;
    const awaited: Awaited = { parts, diskBytes: growsTo };
    written[vmFiles.renewal] = JSON.stringify(awaited);
  }
  if (record.firmware === "uefi") {
    const vars = contents.firmwareVars ??
      (await requireFirmware(context, record.architecture)).vars;
    written[vmFiles.firmwareVars] = await Deno.readFile(vars);
  }
  await Promise.all(
    Object.entries(written).map(([file, content]) => writeNewFile(join(folder, file), content)),
  );
  await Deno.truncate(join(folder, vmFiles.seed), SEED_BYTES);
  return userData === undefined ? [] : await overruledKeys(ownCloudConfig(seed), userData);
}
