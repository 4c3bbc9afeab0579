import { join } from "node:path";
import { z } from "zod";
import { NidoError, toNidoError } from "../errors.ts";
import { nearestName } from "../nearest_name.ts";
import { files, snapshotFiles, vmFiles } from "../store/files.ts";
import { namesIn, readRecord } from "../store/record.ts";
import type { Vm } from "../vm/vm.ts";

/** What a snapshot may be called; it becomes a folder. */
export const snapshotLabel = z.string().regex(
  /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/,
  "a snapshot's label is 1 to 63 of a-z 0-9 . _ -, with a letter or a digit at either end",
);

/** `vms/<name>/snapshots/<label>/snapshot.json`. */
export const snapshotRecord = z.strictObject({
  schemaVersion: z.literal(1),
  label: snapshotLabel,
  createdAt: z.iso.datetime(),
  description: z.string().optional(),
  /** The frozen layer of the disk, in `layers/`. */
  layer: z.string(),
  /** The VM's shape, without which its memory does not fit. */
  shape: z.strictObject({
    cpus: z.int(),
    memoryMib: z.int(),
    machineType: z.string(),
    accelerator: z.enum(["kvm", "hvf", "whpx", "tcg"]).optional(),
    network: z.enum(["full", "none"]),
  }),
  /** Present when the VM ran: what its memory and devices were. */
  memory: z.strictObject({
    sizeBytes: z.int(),
    digest: z.string(),
    /** Whether its guest hears the time when it wakes. */
    renews: z.enum(["clock", "nothing"]),
  }).optional(),
  /** The guest stood still when it was made. */
  wasPaused: z.boolean(),
});

/** What a snapshot was when it was made. */
export type SnapshotRecord = z.output<typeof snapshotRecord>;

/** A moment of one VM that it can go back to. */
export interface Snapshot {
  label: string;
  folder: string;
  /** Absent when it can't be read. */
  record?: SnapshotRecord;
  /** Why it can't be read. */
  problem?: string;
}

/** A snapshot whose record is readable. */
export type SoundSnapshot = Snapshot & { record: SnapshotRecord };

/** The input field that names a snapshot. */
export const labelField = snapshotLabel.describe("Label of the snapshot");

/** Where a snapshot is, inside the home: `vms/web/snapshots/s1`. */
export function snapshotPath(vm: string, label: string): string {
  return `vms/${vm}/${vmFiles.snapshots}/${label}`;
}

/** One of a VM's snapshots; `not_found` names the nearest one. */
export async function openSnapshot(vm: Vm, label: string): Promise<Snapshot> {
  const all = await listSnapshots(vm.folder);
  const found = all.find((snapshot) => snapshot.label === label);
  if (found) return found;
  const nearest = nearestName(label, all.map((snapshot) => snapshot.label));
  throw new NidoError(
    "not_found",
    `VM "${vm.name}" has no snapshot "${label}"${nearest ? `; the nearest is "${nearest}"` : ""}`,
    { hint: `nido snapshot list ${vm.name}`, details: { nearest } },
  );
}

/** The snapshots of a VM, oldest first; an unreadable one hides no other. */
export async function listSnapshots(vmFolder: string): Promise<Snapshot[]> {
  const folder = join(vmFolder, vmFiles.snapshots);
  const labels = (await namesIn(folder)).filter((name) => snapshotLabel.safeParse(name).success);
  const all = await Promise.all(labels.map((label) => readSnapshot(join(folder, label), label)));
  const age = ({ record }: Snapshot) => record?.createdAt ?? "";
  return all.sort((one, other) => age(one).localeCompare(age(other)));
}

async function readSnapshot(folder: string, label: string): Promise<Snapshot> {
  try {
    const record = await readRecord(join(folder, snapshotFiles.record), snapshotRecord);
    if (record) return { label, folder, record };
    return { label, folder, problem: `its ${snapshotFiles.record} is missing` };
  } catch (error) {
    return { label, folder, problem: toNidoError(error).message };
  }
}

/** The layers that the snapshots of all VMs mean; undefined when one of them can't be read. */
export async function snapshotLayers(home: string): Promise<string[] | undefined> {
  const vms = await namesIn(files.vms(home));
  const snapshots = (await Promise.all(vms.map((name) => listSnapshots(files.vm(home, name)))))
    .flat();
  if (snapshots.some(({ record }) => !record)) return undefined;
  return snapshots.map(({ record }) => files.layer(home, record!.layer));
}
