import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { checkDepth } from "../moment/freeze.ts";
import { diskUseBytes } from "../image/unused_disks.ts";
import { operation } from "../operation.ts";
import { checkDisk } from "../qemu/image_tool.ts";
import { files, snapshotFiles, vmFiles } from "../store/files.ts";
import { syncFolder, writeRecord } from "../store/record.ts";
import { syncFile } from "../store/sealed_file.ts";
import { stage } from "../store/staging.ts";
import { formatBytes } from "../units.ts";
import { endMachine, removeLeftovers } from "../vm/launch.ts";
import { prepareToWake } from "../vm/prepare_to_wake.ts";
import { mustBe, mustBeSound, vmField, withVm } from "../vm/vm.ts";
import { keepAll, keepDisk, type Kept, verifiedDigest } from "./keep.ts";
import { lineage } from "./lineage.ts";
import {
  labelField,
  listSnapshots,
  type Snapshot,
  snapshotLabel,
  type SnapshotRecord,
} from "./snapshot.ts";

const input = z.strictObject({
  name: vmField,
  label: snapshotLabel.optional().describe("Label of the snapshot; default s1, s2 and so on"),
  description: z.string().max(1000).optional().describe("A note for people"),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  label: labelField,
  createdAt: z.iso.datetime().describe("The instant that it holds"),
  parent: z.string().optional().describe("The snapshot that the VM had gone on from"),
  hasMemory: z.boolean().describe("It holds the memory of a VM that ran"),
  memoryBytes: z.number().optional().describe("What its memory takes on the disk, in bytes"),
  diskBytes: z.number().describe("What its layer of the disk takes, in bytes"),
  screenPath: z.string().optional().describe("A picture of the screen (PNG)"),
  stillMs: z.number().optional().describe("How long the VM stood still, in milliseconds"),
  problems: z.array(z.string()).describe("What went wrong without stopping it"),
});

/** Keeps what a VM is at one instant; a running one goes on before its snapshot is verified. */
export async function createSnapshot(
  context: Context,
  { name, label: wanted, description }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  return await withVm(context, name, "snapshot", async (vm) => {
    mustBe(vm, "snapshot", ["running", "paused", "stopped", "crashed"]);
    const sound = mustBeSound(vm);
    const earlier = await listSnapshots(sound.folder);
    const label = freeLabel(name, earlier, wanted);
    await checkDepth(context, sound);
    const isLive = ["running", "paused"].includes(sound.state);
    if (!isLive) await endMachine(sound); // one that was half-started, or the traces of a crash
    const problems = isLive ? await prepareToWake(context, sound) : [];
    const renews = problems.length === 0 ? "clock" as const : "nothing" as const;

    await Deno.mkdir(join(sound.folder, vmFiles.snapshots), { recursive: true, mode: 0o700 });
    await syncFolder(sound.folder);
    const folder = join(sound.folder, vmFiles.snapshots, label);
    let kept: Kept | undefined;
    await stage(context, folder, async (staged) => {
      context.report({ stage: "freeze", message: `taking a picture of "${name}"` });
      kept = isLive
        ? await keepAll(context, sound, staged)
        : await keepDisk(context, sound, staged);
      context.report({ stage: "verify", message: "reading it back" });
      const memory = kept.memory &&
        { ...kept.memory, digest: await verifiedDigest(context, staged, kept.memory), renews };
      const layer = files.layer(context.home, kept.layer);
      await syncFile(layer);
      await checkDisk(context, layer);
      const { cpus, memoryMib, machineType, accelerator, network } = sound.record;
      const record: SnapshotRecord = {
        schemaVersion: 1,
        label,
        createdAt: kept.at,
        description,
        layer: kept.layer,
        shape: { cpus, memoryMib, machineType, accelerator, network },
        memory,
        wasPaused: vm.state === "paused",
      };
      await writeRecord(join(staged, snapshotFiles.record), record);
      if (!isLive) await removeLeftovers(sound);
    });
    const { at, layer, memory, stillMs, hasScreen } = kept!;
    const all = await listSnapshots(sound.folder);
    return {
      name,
      label,
      createdAt: at,
      parent: (await lineage(context.home, sound, all)).parents.get(label),
      hasMemory: memory !== undefined,
      memoryBytes: memory?.sizeBytes,
      diskBytes: await diskUseBytes(files.layer(context.home, layer)),
      screenPath: hasScreen ? join(folder, snapshotFiles.screen) : undefined,
      stillMs,
      problems: [...problems, ...kept!.problems],
    };
  });
}

function freeLabel(vm: string, earlier: Snapshot[], wanted: string | undefined): string {
  const taken = earlier.map(({ label }) => label);
  if (wanted === undefined) {
    const numbers = taken.map((label) => Number(/^s(\d{1,9})$/.exec(label)?.[1] ?? 0));
    return `s${Math.max(0, ...numbers) + 1}`;
  }
  if (!taken.includes(wanted)) return wanted;
  throw new NidoError(
    "already_exists",
    `Cannot snapshot VM "${vm}": it has a snapshot "${wanted}" already`,
    { hint: `nido snapshot delete ${vm} ${wanted}` },
  );
}

export default operation({
  name: "snapshot.create",
  summary: "Keep what a VM is at this instant",
  description:
    "Keeps the disk of a VM, and the memory and screen of one that runs, as a snapshot that it can " +
    "be brought back to. A running VM stands still for a moment and goes on.",
  effect: "create",
  input,
  output,
  positional: ["name", "label"],
  examples: [
    "nido snapshot create web",
    'nido snapshot create web before-upgrade --description "all green"',
  ],
  text: ({ name, label, memoryBytes, diskBytes, stillMs, problems }) => {
    const parts = [`disk ${formatBytes(diskBytes)}`];
    if (memoryBytes !== undefined) parts.unshift(`memory ${formatBytes(memoryBytes)}`);
    if (stillMs !== undefined) parts.push(`it stood still for ${stillMs} ms`);
    return [
      `"${label}" of "${name}" is kept (${parts.join(", ")})`,
      ...problems.map((problem) => `  note: ${problem}`),
      `  nido snapshot restore ${name} ${label}`,
    ].join("\n");
  },
  run: createSnapshot,
});
