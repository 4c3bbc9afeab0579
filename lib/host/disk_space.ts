/** How full the file system under a folder is. */
export interface DiskSpace {
  freeBytes: number;
  totalBytes: number;
}

/** Measures the file system that holds a folder; undefined where Deno may not ask for it. */
export async function diskSpace(folder: string): Promise<DiskSpace | undefined> {
  const { statfs } = await import("node:fs/promises");
  try {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined; // needs --allow-sys=statfs
    throw error;
  }
}
