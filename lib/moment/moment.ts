import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { files, momentFiles } from "../store/files.ts";
import { isThere } from "../store/is_there.ts";
import { namesIn, readRecord, removeIfThere, writeRecord } from "../store/record.ts";
import { withStaging } from "../store/staging.ts";
import type { Wake } from "../vm/vm.ts";
import type { Base } from "./base.ts";
import { fingerprint } from "./fingerprint.ts";
import { sha256 } from "../sha256.ts";

/** `moments/<id>/moment.json`: what a warm base was when it was frozen. */
const momentRecord = z.strictObject({
  schemaVersion: z.literal(1),
  kind: z.literal("warm"),
  createdAt: z.iso.datetime(),
  base: z.strictObject({ kind: z.enum(["image", "template"]), name: z.string() }),
  fingerprint,
  /** The SSH host key that the frozen guest shows. */
  hostKey: z.string(),
  virtualSizeBytes: z.int(),
  stateDigest: z.string(),
  ram: z.strictObject({ sizeBytes: z.int(), modifiedAt: z.string() }).optional(),
  /** Why it can't be woken any more; its memory is gone then. */
  failure: z.string().optional(),
  /** When its memory was freed for others that are used more. */
  freedAt: z.iso.datetime().optional(),
});

/** What a warm base was when it was frozen. */
export type MomentRecord = z.output<typeof momentRecord>;

/** A warm base: a frozen disk layer, and the memory of the machine that had it. */
export interface Moment {
  id: string;
  folder: string;
  record: MomentRecord;
}

/** All warm bases that can be read, newest first. */
export async function listMoments(home: string): Promise<Moment[]> {
  const ids = await namesIn(files.moments(home));
  const found = await Promise.all(ids.map((id) => readMoment(home, id)));
  return found.filter((moment) => moment !== undefined)
    .sort((one, other) => other.record.createdAt.localeCompare(one.record.createdAt));
}

/** The warm states of a base, newest first. Images of one disk share theirs. */
export async function momentsOf(
  home: string,
  { kind, name, digest }: Pick<Base, "kind" | "name" | "digest">,
): Promise<Moment[]> {
  return (await listMoments(home)).filter(({ record }) =>
    record.fingerprint.base === digest && record.base.kind === kind &&
    (kind === "image" || record.base.name === name)
  );
}

async function readMoment(home: string, id: string): Promise<Moment | undefined> {
  const folder = files.moment(home, id);
  try {
    const record = await readRecord(join(folder, momentFiles.record), momentRecord);
    return record && { id, folder, record };
  } catch {
    return undefined; // of another version, or damaged: nothing wakes from it, and VMs may stand on it
  }
}

/** Writes a moment's record into its folder. */
export async function writeMoment(folder: string, record: MomentRecord): Promise<void> {
  await writeRecord(join(folder, momentFiles.record), record);
}

/** Whether VMs can still be put on a moment and wake from it; who holds its base keeps it so. */
export async function isThereStill({ folder, record }: Moment): Promise<boolean> {
  const { disk, state, ram } = momentFiles;
  const needed = record.ram ? [disk, state, ram] : [disk, state];
  const found = await Promise.all(needed.map((file) => isThere(join(folder, file))));
  return found.every(Boolean);
}

/** How a VM wakes from a moment. */
export function wakeFrom({ id, record }: Moment): Wake {
  const within = (file: string) => `moments/${id}/${file}`;
  return {
    state: within(momentFiles.state),
    ram: record.ram && within(momentFiles.ram),
    renews: "identity",
    hostKey: record.hostKey,
  };
}

/** Why a moment's memory can't be trusted, if so: a file is gone, cut or was written to. */
export async function damage({ folder, record }: Moment): Promise<string | undefined> {
  try {
    const state = await Deno.readFile(join(folder, momentFiles.state));
    if (await sha256(state) !== record.stateDigest) return "its state file was changed";
    if (!record.ram) return undefined;
    const { size, mtime } = await Deno.stat(join(folder, momentFiles.ram));
    if (size !== record.ram.sizeBytes) {
      return `its memory file has ${size} bytes instead of ${record.ram.sizeBytes}`;
    }
    if (mtime?.toISOString() !== record.ram.modifiedAt) return "its memory file was written to";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "its memory is missing";
    throw error; // that it could not be read says nothing of the memory
  }
}

/** Remembers that a VM was made from a moment just now. */
export async function touch(context: Context, moment: Moment): Promise<void> {
  const path = join(moment.folder, momentFiles.used);
  await Deno.writeTextFile(path, context.now().toISOString()).catch(() => {}); // told next time
}

/** Frees the memory of a moment that failed, and writes down why. */
export async function setAside(moment: Moment, failure: string): Promise<void> {
  await freeMemory(moment, { failure });
}

/** Frees a moment's memory; its disk stays for those that stand on it. */
export async function freeMemory(
  moment: Moment,
  why: Pick<MomentRecord, "failure" | "freedAt">,
): Promise<void> {
  try {
    await writeMoment(moment.folder, { ...moment.record, ...why });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return; // Race: it was removed meanwhile
  }
  // The state first: a machine that finds it finds the memory that belongs to it.
  for (const file of [momentFiles.state, momentFiles.ram]) {
    await removeIfThere(join(moment.folder, file));
  }
}

/** Removes moments; one that is gone already is fine. The caller knows that nothing stands on them. */
export async function removeMoments(context: Context, ids: string[]): Promise<void> {
  if (ids.length === 0) return;
  await withStaging(context, async (folder) => {
    for (const id of ids) {
      await Deno.rename(files.moment(context.home, id), join(folder, id)).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    }
  });
}
