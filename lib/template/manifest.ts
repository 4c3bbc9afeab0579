import { z } from "zod";
import { digest } from "../digest.ts";
import type { Refuse } from "../image/refuse.ts";
import { exportedFiles } from "../store/files.ts";

const member = <T extends string>(name: T) =>
  z.strictObject({
    name: z.literal(name),
    sizeBytes: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
    digest,
  });

/** `manifest.json`, the first member: what follows, in this order and nothing else. */
export const manifest = z.strictObject({
  schemaVersion: z.literal(1),
  kind: z.literal("nido template"),
  members: z.tuple([member(exportedFiles.record), member(exportedFiles.disk)]),
});

/** What a manifest says of one member. */
export type PromisedMember = z.output<typeof manifest>["members"][number];

/** Reads JSON that came from elsewhere. */
export function parseForeign<T extends z.ZodType>(
  text: string,
  schema: T,
  what: string,
  refuse: Refuse,
): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse("integrity", `its ${what} is not JSON`, { cause });
  }
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (typeof version === "number" && version !== 1) {
    throw refuse("invalid_input", `its schemaVersion is ${version}, and this Nido knows 1`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.length ? `${issue.path.join(".")}: ` : "";
  throw refuse("invalid_input", `its ${what} is not a template's: ${where}${issue?.message}`);
}
