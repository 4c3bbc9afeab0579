import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { toNidoError } from "../errors.ts";

/**
 * Where Nido keeps everything: `NIDO_HOME`, else `~/.nido` (`%LOCALAPPDATA%\nido` on Windows), by its
 * own name when it is reached through a link: what stands on a file is known by the file's path.
 */
export function homePath(): string {
  const path = namedHome();
  try {
    return Deno.realPathSync(path);
  } catch {
    return path; // not made yet
  }
}

function namedHome(): string {
  const named = Deno.env.get("NIDO_HOME");
  if (named) return resolve(named);
  if (Deno.build.os === "windows") {
    return join(Deno.env.get("LOCALAPPDATA") ?? homedir(), "nido");
  }
  return join(Deno.env.get("HOME") ?? homedir(), ".nido");
}

// deno-fmt-ignore
const FOLDERS = [
  "vms", "images", "disks", "templates", "moments", "incubators", "layers", "staging", "locks",
  "facts", "keys", "run", "jobs", "catalogs",
];

/**
 * Makes the home with private folders; a home that can't be used is `denied`, and one that a newer Nido
 * has changed `wrong_state`.
 */
export async function prepareHome(home: string): Promise<void> {
  try {
    const isFresh = !await isHomeThere(home);
    await Deno.mkdir(home, { recursive: true, mode: 0o700 });
    const { markHome } = await import("./home_version.ts");
    await markHome(home, isFresh);
    for (const folder of FOLDERS) {
      await Deno.mkdir(join(home, folder), { recursive: true, mode: 0o700 });
    }
  } catch (cause) {
    throw toNidoError(cause, home);
  }
}

/** Whether a home is there already. */
export async function isHomeThere(home: string): Promise<boolean> {
  return await Deno.stat(home).then(() => true, () => false); // making it tells what is wrong with it
}
