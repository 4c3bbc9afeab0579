import { resolve } from "node:path";
import { z } from "zod";
import { looksLikeAddress } from "../catalog/reference.ts";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { operation } from "../operation.ts";
import { files } from "../store/files.ts";
import { prepareHome } from "../store/home.ts";
import { withLock } from "../store/lock.ts";
import { writeRecord } from "../store/record.ts";
import { readQuantity, unitOf } from "../units.ts";
import {
  type Config,
  configFields,
  type ConfigKey,
  configKeys,
  findConfigKey,
  readConfig,
} from "./config.ts";

/** Makes a setting from what a person types, or unmakes it when the value is null. */
export async function setSetting(
  context: Context,
  typed: string,
  text: string | null,
): Promise<{ key: ConfigKey; value: string | number | null }> {
  const key = findConfigKey(typed);
  const value = text === null ? undefined : readSetting(key, text);
  await prepareHome(context.home);
  await withLock(context, { what: "config", doing: `set "${key}"` }, async () => {
    const config: Config = { ...await readConfig(context), [key]: value };
    await writeRecord(files.config(context.home), { schemaVersion: 1, ...config });
  });
  return { key, value: value ?? null };
}

function readSetting(key: ConfigKey, text: string): string | number {
  const unit = unitOf(key);
  const schema = configFields[key];
  const number = schema instanceof z.ZodNumber;
  const value = unit ? readQuantity(text, unit) : number ? Number(text || NaN) : text;
  const parsed = schema.safeParse(value);
  if (parsed.success) return key === "catalog" ? whereverWeAre(text) : parsed.data;
  const fact = value === undefined ? `expected ${unit?.accepts}` : parsed.error.issues[0]?.message;
  throw new NidoError("invalid_input", `Cannot set "${key}" to "${text}": ${fact}`, {
    hint: "nido config list",
    details: { key, value: text },
  });
}

/** A catalog's address, or its path in full: no folder that somebody works in later brings its own. */
function whereverWeAre(catalog: string): string {
  return looksLikeAddress(catalog) ? catalog : resolve(catalog);
}

export default operation({
  name: "config.set",
  summary: "Change a setting for every spawn to come",
  effect: "change",
  idempotent: true,
  input: z.strictObject({
    key: z.string().min(1).max(64).describe(`Setting: ${configKeys.join(", ")}`),
    value: z.string().max(4096).optional().describe("New value, for example 1G for memory"),
    unset: z.boolean().default(false).describe("Go back to what Nido chooses by itself"),
  }),
  output: z.strictObject({
    key: z.enum(configKeys).describe("Setting"),
    value: z.union([z.string(), z.number()]).nullable().describe("Its value; null when not set"),
  }),
  positional: ["key", "value"],
  surfaces: ["cli"],
  examples: ["nido config set memory 1G", "nido config set memory --unset"],
  text: ({ key, value }) =>
    value === null ? `${key} is not set any more` : `${key} is now ${value}`,
  run: (context, { key, value, unset }) => {
    if (unset === (value !== undefined)) {
      throw new NidoError("invalid_input", `Cannot set "${key}": give either a value or --unset`, {
        hint: `nido config set ${key} --unset`,
      });
    }
    return setSetting(context, key, value ?? null);
  },
});
