import { run } from "../../lib/host/process.ts";

/** Mounts a file system of 40 MiB; undefined (with the reason printed) where that isn't allowed. */
export async function smallHome(path: string): Promise<AsyncDisposable | undefined> {
  await Deno.mkdir(path);
  try {
    await run("mount", ["-t", "tmpfs", "-o", "size=40m,mode=0700", "tmpfs", path]);
  } catch (error) {
    console.log(`skipped: a file system can't be mounted here (${(error as Error).message})`);
    return undefined;
  }
  return { [Symbol.asyncDispose]: async () => void await run("umount", [path]) };
}
