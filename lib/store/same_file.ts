import { dirname } from "node:path";

/** Whether two paths lead to one file: a home can be reached by several (a link to it, another mount). */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  if (one === other) return true;
  try {
    const [a, b] = [await Deno.stat(one), await Deno.stat(other)];
    return a.ino !== null && a.ino === b.ino && a.dev === b.dev;
  } catch {
    return false;
  }
}

/** Whether a path leads into a folder, by whatever names. */
export async function isInside(folder: string, path: string): Promise<boolean> {
  if (path.startsWith(`${folder}/`)) return true;
  for (let above = dirname(path); above !== dirname(above); above = dirname(above)) {
    if (await isSameFile(above, folder)) return true;
  }
  return false;
}
