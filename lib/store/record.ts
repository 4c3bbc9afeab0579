import { dirname } from "node:path";
import type { z } from "zod";
import { NidoError } from "../errors.ts";

/** Reads a JSON record and checks it against its schema; a missing file gives undefined. */
export async function readRecord<T extends z.ZodType>(
  path: string,
  schema: T,
): Promise<z.output<T> | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return;
    throw error;
  }
  return parseRecord(path, text, schema);
}

function parseRecord<T extends z.ZodType>(path: string, text: string, schema: T): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(path, "it is not JSON", cause);
  }
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (version !== undefined && version !== 1) {
    throw unreadable(path, `its schemaVersion is ${JSON.stringify(version)}, this Nido knows 1`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw unreadable(path, `${issue?.path.join(".") || "it"}: ${issue?.message}`, parsed.error);
}

function unreadable(path: string, fact: string, cause?: unknown): NidoError {
  return new NidoError("integrity", `Cannot read ${path}: ${fact}`, { cause });
}

/** Writes a JSON record so that a crash leaves the old one or the new one, whole and on disk. */
export async function writeRecord(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, JSON.stringify(value, null, 2) + "\n");
}

/** Writes a private file (0600) through a synced temporary one that is renamed into place. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  try {
    await writeNewFile(temporary, content);
    await Deno.rename(temporary, path);
  } catch (error) {
    await removeIfThere(temporary);
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Writes a private file (0600) that isn't there yet, and waits until it is on the disk. */
export async function writeNewFile(path: string, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
  await file.syncData();
}

/** Makes a rename in this folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  if (Deno.build.os === "windows") return; // folders can't be opened there; NTFS journals renames
  using folder = await Deno.open(path);
  await folder.sync();
}

/** Removes a file or folder tree; an absent one is fine. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Lists the entry names of a folder, sorted; an absent folder is empty. */
export async function namesIn(path: string): Promise<string[]> {
  try {
    const names = await Array.fromAsync(Deno.readDir(path), (entry) => entry.name);
    return names.sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
