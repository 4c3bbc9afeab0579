/** Finished images by key; what is being made is never visible under a key. */
import { join } from "node:path";

/** A folder of finished images. */
export interface ImageCache {
  /** The image of `key`, made with `build` when there is none yet. */
  imageOf(
    key: string,
    build: (staging: string) => Promise<string>,
    report: (line: string) => void,
  ): Promise<string>;
}

/** Opens the cache in `folder`, and clears what killed builds left there. */
export async function openImageCache(folder: string): Promise<ImageCache> {
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  await sweepStaging(folder);
  return {
    async imageOf(key, build, report) {
      const image = join(folder, `${key}.qcow2`);
      if (await isFile(image)) return image;
      using lock = await lockKey(folder, key, report);
      void lock;
      if (await isFile(image)) return image;
      const staging = join(folder, `${key}.staging`);
      await removeFolder(staging);
      await Deno.mkdir(staging, { mode: 0o755 });
      try {
        await Deno.rename(await build(staging), image);
      } finally {
        await removeFolder(staging);
      }
      return image;
    },
  };
}

async function lockKey(
  folder: string,
  key: string,
  report: (line: string) => void,
): Promise<Deno.FsFile> {
  const file = await openLock(folder, key);
  if (!await file.tryLock(true)) {
    report("another build of the same image is running; waiting for it");
    await file.lock(true);
  }
  return file;
}

/** Lock files stay: removing one would let two builds hold locks on two files of one name. */
async function openLock(folder: string, key: string): Promise<Deno.FsFile> {
  return await Deno.open(join(folder, `${key}.lock`), { create: true, write: true });
}

async function sweepStaging(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".staging")) continue;
    using lock = await openLock(folder, name.slice(0, -".staging".length));
    if (await lock.tryLock(true)) await removeFolder(join(folder, name));
  }
}

async function removeFolder(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error: unknown) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then((entry) => entry.isFile, () => false);
}
