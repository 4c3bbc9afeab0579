import type { Context } from "../context.ts";

/** Puts a file on the disk for good. */
export async function syncFile(path: string): Promise<void> {
  using file = await Deno.open(path, { read: true, write: true });
  await file.sync();
}

/** Puts a file on the disk for good and takes the right to write from it. */
export async function sealFile(path: string): Promise<void> {
  await syncFile(path);
  if (Deno.build.os !== "windows") await Deno.chmod(path, 0o400);
}

/** The sha256 digest of a file's bytes: `sha256:<hex>`. */
export async function digestOfFile(context: Context, path: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1024 * 1024);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    context.signal.throwIfAborted();
    hash.update(buffer.subarray(0, count));
  }
  return `sha256:${hash.digest("hex")}`;
}
