import { z } from "zod";
import type { Context } from "../../context.ts";
import { NidoError, toNidoError } from "../../errors.ts";
import type { Platform } from "../../host/platform.ts";

/** One thing that doctor looked at. */
export const finding = z.strictObject({
  name: z.string().describe("What was looked at"),
  state: z.enum(["ok", "warning", "blocked"]).describe(
    "ok, warning (Nido works, with less) or blocked (it can't run VMs)",
  ),
  message: z.string().describe("What was found, in one sentence"),
  fix: z.string().optional().describe("Command that changes it"),
  fixed: z.boolean().optional().describe("True when it was put right just now"),
});

/** One thing that doctor looked at. */
export type Finding = z.output<typeof finding>;

/** What a check is given. */
export interface Examination {
  context: Context;
  platform: Platform;
  /** Put right what can be put right without risk. */
  fix: boolean;
}

/** Looks at one side of the host or home. */
export interface Check {
  name: string;
  run: (examination: Examination) => Promise<Finding[]>;
}

/** A finding from something that says what is well or throws what is not. */
export async function tried(
  name: string,
  otherwise: "warning" | "blocked",
  look: () => Promise<string>,
): Promise<Finding> {
  try {
    return { name, state: "ok", message: await look() };
  } catch (thrown) {
    const { code, message, hint } = toNidoError(thrown);
    if (code === "cancelled") throw thrown;
    const fix = thrown instanceof NidoError && hint !== "nido doctor" ? hint : undefined;
    return { name, state: otherwise, message, ...(fix ? { fix } : {}) };
  }
}
