import { join } from "node:path";
import { NidoError } from "../errors.ts";

// A unix socket's path holds 104 bytes on macOS and 108 on Linux, the closing zero among them.
const LONGEST_SOCKET_PATH = 103;
const LONGEST_SOCKET_NAME = "/console.sock".length;

/**
 * Where a VM's sockets live: inside the home, or, when the home's path is too long for a socket, in a
 * short folder under /tmp that belongs to this home. It depends on nothing but the home, so that every
 * shell, cron job and CI step finds the same sockets.
 */
export async function runFolder(home: string, id: string): Promise<string> {
  const inHome = join(home, "run", shortId(id));
  const bytes = new TextEncoder().encode(inHome).length;
  if (bytes + LONGEST_SOCKET_NAME <= LONGEST_SOCKET_PATH) return inHome;
  return join("/tmp", `nido-${await fingerprint(home)}`, shortId(id));
}

/** The folder that holds all run folders of this home. */
export async function runRoot(home: string): Promise<string> {
  return join(await runFolder(home, "x"), "..");
}

/** Makes a VM's run folder, private and empty; a folder of somebody else's in its place is refused. */
export async function prepareRunFolder(home: string, id: string): Promise<string> {
  const folder = await runFolder(home, id);
  for (const path of [join(folder, ".."), folder]) {
    await Deno.mkdir(path, { mode: 0o700 }).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
    await checkIsOurs(path);
  }
  for await (const entry of Deno.readDir(folder)) await Deno.remove(join(folder, entry.name));
  return folder;
}

async function checkIsOurs(path: string): Promise<void> {
  const info = await Deno.lstat(path);
  const isPrivate = info.mode === null || (info.mode & 0o077) === 0;
  const isMine = info.uid === null || info.uid === Deno.uid();
  if (info.isDirectory && isPrivate && isMine) return;
  throw new NidoError(
    "denied",
    `Cannot keep sockets in ${path}: it is not a private folder of yours`,
    {
      hint: `ls -ld ${path}`,
    },
  );
}

function shortId(id: string): string {
  return id.slice(0, 8);
}

async function fingerprint(home: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(home));
  return new Uint8Array(digest).slice(0, 6).toHex();
}
