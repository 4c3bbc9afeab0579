import { z } from "zod";
import type { Context } from "../context.ts";
import { operation } from "../operation.ts";
import { configFields, type ConfigKey, configKeys, readConfig } from "./config.ts";

/** One setting as the list shows it. */
interface Setting {
  key: ConfigKey;
  value: string | number | null;
  description: string;
}

/** Reads every setting, those not made as null. */
export async function listSettings(context: Context): Promise<Setting[]> {
  const config = await readConfig(context);
  return configKeys.map((key) => ({
    key,
    value: config[key] ?? null,
    description: configFields[key].description ?? "",
  }));
}

export default operation({
  name: "config.list",
  summary: "List the settings",
  effect: "read",
  input: z.strictObject({}),
  output: z.strictObject({
    settings: z.array(z.strictObject({
      key: z.enum(configKeys).describe("Setting"),
      value: z.union([z.string(), z.number()]).nullable().describe("Its value; null when not set"),
      description: z.string().describe("What it decides"),
    })).describe("All settings"),
  }),
  examples: ["nido config list"],
  run: async (context) => ({ settings: await listSettings(context) }),
});
