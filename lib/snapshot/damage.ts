import { join } from "node:path";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { diskChain } from "../image/chain.ts";
import { files, snapshotFiles } from "../store/files.ts";
import { digestOfFile } from "../store/sealed_file.ts";
import type { Snapshot, SoundSnapshot } from "./snapshot.ts";

/** Why a VM can't boot from a snapshot's disk, if so. */
export async function diskDamage(home: string, { record, problem }: Snapshot) {
  if (!record) return problem;
  try {
    await diskChain(home, files.layer(home, record.layer));
  } catch (error) {
    return `a layer of its disk can't be read: ${toNidoError(error).message}`;
  }
}

/** Why a snapshot's memory can't be loaded, if so, as far as its size tells. */
export async function memoryLoss({ record, folder }: SoundSnapshot): Promise<string | undefined> {
  if (!record.memory) return undefined;
  const { sizeBytes } = record.memory;
  const info = await Deno.stat(join(folder, snapshotFiles.state)).catch(() => undefined);
  if (!info) return "its memory is missing";
  if (info.size !== sizeBytes) return `its memory has ${info.size} bytes instead of ${sizeBytes}`;
}

/** Refuses a snapshot that its VM could not go on from; all of its memory is read for that. */
export async function mustBeWhole(
  context: Context,
  vm: string,
  snapshot: Snapshot,
  diskOnly: boolean,
): Promise<SoundSnapshot> {
  const { label } = snapshot;
  const refuse = (fact: string, hint: string) =>
    new NidoError("integrity", `Cannot restore snapshot "${label}" of VM "${vm}": ${fact}`, {
      hint,
    });
  const lost = await diskDamage(context.home, snapshot);
  if (lost) throw refuse(lost, `nido snapshot list ${vm}`);
  const sound = snapshot as SoundSnapshot;
  if (diskOnly || !sound.record.memory) return sound;
  const fact = await memoryLoss(sound) ?? await memoryChange(context, sound);
  if (fact) throw refuse(fact, `nido snapshot restore ${vm} ${label} --disk-only`);
  return sound;
}

async function memoryChange(context: Context, { record, folder }: SoundSnapshot) {
  const digest = await digestOfFile(context, join(folder, snapshotFiles.state));
  return digest === record.memory!.digest ? undefined : "its memory was changed since";
}
