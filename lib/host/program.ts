import { posix, win32 } from "node:path";
import type { Platform } from "./platform.ts";

/** A program's file, as found. */
export interface Program {
  /** Its absolute path. */
  path: string;
  sizeBytes: number;
  modifiedAt: string;
}

/** Finds a program in this host's program folders without starting anything. */
export async function findProgram(
  platform: Pick<Platform, "os" | "programFolders">,
  name: string,
): Promise<Program | undefined> {
  const { join, isAbsolute } = platform.os === "windows" ? win32 : posix;
  const file = platform.os === "windows" ? `${name}.exe` : name;
  let denied: unknown;
  for (const folder of platform.programFolders.filter(isAbsolute)) {
    const path = join(folder, file);
    try {
      const info = await Deno.stat(path);
      if (!info.isFile || !isExecutable(info)) continue;
      return { path, sizeBytes: info.size, modifiedAt: (info.mtime ?? new Date(0)).toISOString() };
    } catch (error) {
      // Under narrow permissions only the folder that holds the program need be readable.
      if (error instanceof Deno.errors.NotCapable) denied ??= error;
    }
  }
  if (denied) throw denied;
}

function isExecutable(info: Deno.FileInfo): boolean {
  return info.mode === null || (info.mode & 0o111) !== 0;
}
