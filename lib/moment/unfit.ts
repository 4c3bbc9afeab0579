import { z } from "zod";
import type { Context } from "../context.ts";
import { files } from "../store/files.ts";
import { readFact, writeFact } from "../store/fact.ts";
import { namesIn, removeIfThere } from "../store/record.ts";
import type { Fingerprint } from "./fingerprint.ts";
import { sha256 } from "../sha256.ts";

const schema = z.object({ reason: z.string(), at: z.string() });
const PREFIX = "unfit-";

/** Why a base could not be made warm, and when that was found. */
export type Unfit = z.output<typeof schema>;

/** Why a machine of this fingerprint can't be made warm, where that was tried. */
export async function readUnfit(home: string, print: Fingerprint): Promise<Unfit | undefined> {
  return await readFact(home, await factOf(print), schema);
}

/** Remembers why a machine of this fingerprint can't be made warm, so that not every spawn tries. */
export async function writeUnfit(context: Context, print: Fingerprint, reason: string) {
  await writeFact(context.home, await factOf(print), { reason, at: context.now().toISOString() });
}

/** Forgets that a machine of this fingerprint could not be made warm. */
export async function forgetUnfit(home: string, print: Fingerprint): Promise<void> {
  await removeIfThere(files.facts(home, await factOf(print)));
}

/** All that could not be made warm. */
export async function listUnfit(home: string): Promise<Unfit[]> {
  const facts = (await namesIn(files.factsFolder(home))).filter((name) => name.startsWith(PREFIX));
  const read = facts.map((name) => readFact(home, name.replace(/\.json$/, ""), schema));
  return (await Promise.all(read)).filter((unfit) => unfit !== undefined);
}

/** A short name of a fingerprint. */
export async function nameOf(print: Fingerprint): Promise<string> {
  return (await sha256(JSON.stringify(print))).slice(0, 16);
}

async function factOf(print: Fingerprint): Promise<string> {
  return `${PREFIX}${await nameOf(print)}`;
}
