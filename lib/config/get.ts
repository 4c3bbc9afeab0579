import { z } from "zod";
import type { Context } from "../context.ts";
import { operation } from "../operation.ts";
import { type ConfigKey, configKeys, findConfigKey, readConfig } from "./config.ts";

/** Reads one setting; null when it was not made. */
export async function getSetting(
  context: Context,
  typed: string,
): Promise<{ key: ConfigKey; value: string | number | null }> {
  const key = findConfigKey(typed);
  return { key, value: (await readConfig(context))[key] ?? null };
}

export default operation({
  name: "config.get",
  summary: "Show one setting",
  effect: "read",
  input: z.strictObject({
    key: z.string().min(1).max(64).describe(`Setting: ${configKeys.join(", ")}`),
  }),
  output: z.strictObject({
    key: z.enum(configKeys).describe("Setting"),
    value: z.union([z.string(), z.number()]).nullable().describe("Its value; null when not set"),
  }),
  positional: ["key"],
  examples: ["nido config get image"],
  text: ({ value }) => value === null ? "" : String(value),
  run: (context, { key }) => getSetting(context, key),
});
