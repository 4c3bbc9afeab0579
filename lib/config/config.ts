import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { nearestName } from "../nearest_name.ts";
import { files } from "../store/files.ts";
import { readRecord } from "../store/record.ts";
import { withoutUnit } from "../units.ts";
import { cpus, diskGib, memoryMib, network } from "../vm/shape.ts";

/** The settings of a home: what `spawn` uses where the caller says nothing. */
export const configFields = {
  image: z.string().min(1).max(4096).describe("Image that a spawn without --image uses"),
  catalog: z.string().min(1).max(4096).describe(
    "Address or absolute path of the catalog of images, in place of the project's own",
  ),
  cpus: cpus.describe("Virtual CPUs of a new VM"),
  memoryMib: memoryMib.describe("Memory of a new VM"),
  diskGib: diskGib.describe("Disk size of a new VM"),
  user: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/, "expected a Unix user name")
    .describe("User that Nido makes in a new VM"),
  network: network.describe("Network of a new VM"),
  accelerator: z.enum(["kvm", "hvf", "whpx", "tcg"]).describe(
    "Accelerator to use instead of the one that was found by probing",
  ),
  warm: z.enum(["on", "stream", "off"]).describe(
    "Wake new VMs from the memory of their base (on), read it in full instead of sharing it " +
      "(stream), or boot each one (off)",
  ),
  warmDiskGib: z.number().min(0).max(65_536).describe(
    "Disk that the memory of warm bases may take; the least used are freed beyond it",
  ),
};

/** The name of a setting. */
export type ConfigKey = keyof typeof configFields;

/** The names of all settings. */
export const configKeys = Object.keys(configFields) as ConfigKey[];

const Settings = z.strictObject(configFields).partial();
const ConfigRecord = z.strictObject({ schemaVersion: z.literal(1), ...Settings.shape });

/** The settings that were made; those that were not are absent. */
export type Config = z.output<typeof Settings>;

/** Reads the settings of this home. */
export async function readConfig(context: Context): Promise<Config> {
  const record = await readRecord(files.config(context.home), ConfigRecord);
  if (!record) return {};
  const { schemaVersion: _, ...config } = record;
  return config;
}

/** The key that was typed: `memoryMib`, and `memory` too. */
export function findConfigKey(typed: string): ConfigKey {
  const key = configKeys.find((key) => key === typed || withoutUnit(key) === typed);
  if (key) return key;
  const near = nearestName(typed, configKeys.map(withoutUnit));
  throw new NidoError("not_found", `Unknown setting "${typed}"`, {
    hint: near ? `nido config get ${near}` : "nido config list",
    details: { key: typed, nearest: near, keys: configKeys },
  });
}
