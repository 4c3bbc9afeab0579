import { z } from "zod";
import type { Context } from "../context.ts";
import { operation } from "../operation.ts";
import { thisNido } from "../this_nido.ts";

const output = z.strictObject({
  version: z.string().describe("Nido's version"),
  commit: z.string().optional().describe("Commit it was built from; absent when run from sources"),
  kind: z.enum(["binary", "bundle", "package", "source"]).describe("How this copy of Nido came"),
  deno: z.string().describe("Deno's version"),
  os: z.string().describe("Operating system"),
  arch: z.string().describe("Processor architecture"),
});

/** The versions that a bug report needs. */
export function version(): z.output<typeof output> {
  return {
    ...thisNido,
    deno: Deno.version.deno,
    os: Deno.build.os,
    arch: Deno.build.arch,
  };
}

export default operation({
  name: "system.version",
  summary: "Show the version",
  effect: "read",
  input: z.strictObject({}),
  output,
  examples: ["nido version"],
  // deno-lint-ignore require-await
  run: async (_context: Context) => version(),
});
