import type { z } from "zod";
import { files } from "./files.ts";
import { readRecord, writeRecord } from "./record.ts";

/** Reads something measured earlier; an absent or unreadable fact is simply measured again. */
export async function readFact<T extends z.ZodType>(
  home: string,
  what: string,
  schema: T,
): Promise<z.output<T> | undefined> {
  try {
    return await readRecord(files.facts(home, what), schema);
  } catch {
    return undefined; // written by another version or damaged: the caller measures anew
  }
}

/** Remembers something measured. */
export async function writeFact(home: string, what: string, fact: unknown): Promise<void> {
  await writeRecord(files.facts(home, what), fact).catch(() => {}); // a cache: lost, it costs time only
}
