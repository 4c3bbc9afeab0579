import { basename, dirname, join, relative } from "node:path";
import { files } from "./files.ts";
import type { Json, Migration } from "./migrations.ts";
import { writeNewFile, writeRecord } from "./record.ts";

const MOST_BYTES = 16 * 1024 * 1024;

/** What lies in these folders is of the moment, is fetched again, or is a backup itself. */
function passedOver(home: string): string[] {
  return [files.staging, files.locks, files.run, files.downloads, files.catalogs, files.backups]
    .map((path) => path(home));
}

/** Copies every record of a home into a folder, each to the place that it has in the home. */
export async function copyRecords(home: string, folder: string): Promise<void> {
  for await (const path of recordsOf(home)) {
    const copy = join(folder, relative(home, path));
    await Deno.mkdir(dirname(copy), { recursive: true, mode: 0o700 });
    await writeNewFile(copy, await Deno.readFile(path));
  }
}

/** Changes the records that have these names; one that can't be read stays as broken as it is. */
export async function changeRecords(home: string, changes: Migration["records"]): Promise<void> {
  for await (const path of recordsOf(home)) {
    const change = Object.hasOwn(changes, basename(path)) && changes[basename(path)];
    const record = change && parsed(await Deno.readTextFile(path));
    if (!change || !record) continue;
    const changed = change(structuredClone(record));
    if (JSON.stringify(changed) !== JSON.stringify(record)) await writeRecord(path, changed);
  }
}

async function* recordsOf(home: string, folder = home): AsyncGenerator<string> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory && !passedOver(home).includes(path)) yield* recordsOf(home, path);
    if (!isFile || !name.endsWith(".json") || path === files.home(home)) continue;
    if ((await Deno.stat(path)).size <= MOST_BYTES) yield path;
  }
}

function parsed(text: string): Json | undefined {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
