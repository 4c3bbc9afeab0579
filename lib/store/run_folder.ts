import { join } from "node:path";
import { NidoError } from "../errors.ts";
import { files } from "./files.ts";
import { removeIfThere } from "./record.ts";
import { sha256 } from "../sha256.ts";

// A unix socket's path holds 104 bytes on macOS and 108 on Linux, the closing zero among them.
const LONGEST_SOCKET_PATH = 103;
const LONGEST_REST = "/0123456789ab/console.sock".length;

/**
 * The folder that holds all run folders of this home: inside it, or, when the home's path is too long
 * for a socket, a short folder under /tmp that belongs to this home. It depends on nothing but the
 * home, so that every shell, cron job and CI step finds the same sockets.
 */
export async function runRoot(home: string): Promise<string> {
  const inHome = files.run(home);
  const bytes = new TextEncoder().encode(inHome).length;
  if (bytes + LONGEST_REST <= LONGEST_SOCKET_PATH) return inHome;
  return join("/tmp", `nido-${await fingerprint(home)}`);
}

/** Where a VM's sockets live; its name is enough, so that a VM with a broken record loses none. */
export async function runFolder(home: string, vm: { name: string }): Promise<string> {
  return join(await runRoot(home), await fingerprint(vm.name));
}

/** Makes a VM's run folder, private and empty; a folder of somebody else's in its place is refused. */
export async function prepareRunFolder(home: string, vm: { name: string }): Promise<string> {
  const folder = await runFolder(home, vm);
  for (let attempt = 1;; attempt++) {
    try {
      await makeOurs(join(folder, ".."));
      await makeOurs(folder);
      break;
    } catch (error) {
      // Race: the last VM of this home was deleted, and the folder above went with it.
      if (!(error instanceof Deno.errors.NotFound) || attempt === 10) throw error;
    }
  }
  for await (const entry of Deno.readDir(folder)) await Deno.remove(join(folder, entry.name));
  return folder;
}

/** Removes a VM's run folder, and the one above when it lies outside the home and is empty. */
export async function removeRunFolder(home: string, vm: { name: string }): Promise<void> {
  const root = await runRoot(home);
  if (!await isOurs(root)) return; // somebody else's in its place, and we never put anything there
  await removeIfThere(await runFolder(home, vm));
  if (root !== files.run(home)) await Deno.remove(root).catch(() => {}); // other VMs' sockets are in it
}

async function makeOurs(path: string): Promise<void> {
  await Deno.mkdir(path, { mode: 0o700 }).catch((error) => {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  });
  if (await isOurs(path)) return;
  throw new NidoError(
    "denied",
    `Cannot keep sockets in ${path}: it is not a private folder of yours`,
    { hint: `ls -ld ${path}` },
  );
}

async function isOurs(path: string): Promise<boolean> {
  const info = await Deno.lstat(path).catch(() => undefined);
  if (!info?.isDirectory) return false;
  const isPrivate = info.mode === null || (info.mode & 0o077) === 0;
  return isPrivate && (info.uid === null || info.uid === Deno.uid());
}

async function fingerprint(text: string): Promise<string> {
  return (await sha256(text)).slice(0, 12);
}
