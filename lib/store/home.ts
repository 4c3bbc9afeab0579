import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { NidoError } from "../errors.ts";

/** Where Nido keeps everything: `NIDO_HOME`, else `~/.nido` (`%LOCALAPPDATA%\nido` on Windows). */
export function homePath(): string {
  const named = Deno.env.get("NIDO_HOME");
  if (named) return resolve(named);
  if (Deno.build.os === "windows") {
    return join(Deno.env.get("LOCALAPPDATA") ?? homedir(), "nido");
  }
  return join(Deno.env.get("HOME") ?? homedir(), ".nido");
}

/** Makes the home with private folders; a home that can't be written is `denied`. */
export async function prepareHome(home: string): Promise<void> {
  try {
    await Deno.mkdir(home, { recursive: true, mode: 0o700 });
    for (const folder of ["vms", "images", "disks", "staging", "locks", "facts", "keys", "run"]) {
      await Deno.mkdir(join(home, folder), { recursive: true, mode: 0o700 });
    }
  } catch (cause) {
    throw new NidoError("denied", `Cannot use the home ${home}: ${reason(cause)}`, {
      hint: "NIDO_HOME=/a/folder/you/own nido doctor",
      cause,
    });
  }
}

function reason(cause: unknown): string {
  if (cause instanceof Deno.errors.NotADirectory) return "part of the path is a file";
  if (cause instanceof Deno.errors.AlreadyExists) return "a file is in its place";
  return cause instanceof Error ? cause.message : String(cause);
}
