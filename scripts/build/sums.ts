import { join } from "node:path";

/** Writes `SHA256SUMS` of some files beside them, in the form that `sha256sum --check` reads. */
export async function writeSums(folder: string, names: string[]): Promise<void> {
  const lines = await Promise.all(
    names.toSorted().map(async (name) => {
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(join(folder, name)));
      return `${new Uint8Array(digest).toHex()}  ${name}\n`;
    }),
  );
  await Deno.writeTextFile(join(folder, "SHA256SUMS"), lines.join(""));
}
