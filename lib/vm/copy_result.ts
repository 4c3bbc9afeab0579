import { z } from "zod";
import { formatBytes } from "../units.ts";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** What a copy did. */
export const copyOutput = z.strictObject({
  files: count.describe("Files copied"),
  folders: count.describe("Folders made"),
  links: count.describe("Symbolic links made"),
  sizeBytes: count.describe("Bytes copied"),
  skipped: z.array(z.strictObject({
    path: z.string().describe("What was not copied"),
    reason: z.string().describe("Why"),
  })).describe("What was left out: devices, links that lead outside"),
});

/** A copy's result as a person reads it. */
export function copyText(
  { files, folders, sizeBytes, skipped }: z.output<typeof copyOutput>,
): string {
  const told = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const parts = [told(files, "file"), ...(folders ? [told(folders, "folder")] : [])];
  const what = `copied ${parts.join(", ")}, ${formatBytes(sizeBytes)}`;
  return [what, ...skipped.map(({ path, reason }) => `  left out ${path}: ${reason}`)].join("\n");
}
