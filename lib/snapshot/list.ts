import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { diskUseBytes } from "../image/unused_disks.ts";
import { operation } from "../operation.ts";
import { files, snapshotFiles } from "../store/files.ts";
import { formatBytes } from "../units.ts";
import { openVm, vmField } from "../vm/vm.ts";
import { diskDamage, memoryLoss } from "./damage.ts";
import { type Lineage, lineage } from "./lineage.ts";
import { labelField, listSnapshots, type Snapshot, type SoundSnapshot } from "./snapshot.ts";

const row = z.strictObject({
  label: labelField,
  state: z.enum(["ready", "broken"]).describe("A broken one can't be restored as it was made"),
  parent: z.string().optional().describe("The snapshot that the VM had gone on from"),
  current: z.boolean().describe("The VM goes on from it"),
  createdAt: z.iso.datetime().optional().describe("The instant that it holds"),
  description: z.string().optional().describe("A note for people"),
  hasMemory: z.boolean().describe("It holds the memory of a VM that ran"),
  memoryBytes: z.number().optional().describe("What its memory takes on the disk, in bytes"),
  diskBytes: z.number().optional().describe("What its layer of the disk takes, in bytes"),
  screenPath: z.string().optional().describe("A picture of the screen (PNG)"),
  problems: z.array(z.string()).describe("What is wrong with a broken one"),
});
type Row = z.output<typeof row>;

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  snapshots: z.array(row).describe("Its snapshots, each after its parent, older ones first"),
});

/** Lists a VM's snapshots as a tree; a broken one is listed as such and hides no other. */
export async function listOf(context: Context, name: string): Promise<z.input<typeof output>> {
  const vm = await openVm(context, name);
  const snapshots = await listSnapshots(vm.folder);
  const lines = await lineage(context.home, vm, snapshots);
  const rows = await Promise.all(snapshots.map((one) => describe(context, one, lines)));
  return { name, snapshots: tree(rows).map(({ row }) => row) };
}

async function describe(
  { home }: Context,
  snapshot: Snapshot,
  { current, parents }: Lineage,
): Promise<Row> {
  const { label, folder, record } = snapshot;
  const problems = [
    await diskDamage(home, snapshot),
    record && await memoryLoss(snapshot as SoundSnapshot),
  ].filter((problem) => problem !== undefined);
  const screenPath = join(folder, snapshotFiles.screen);
  const hasScreen = await Deno.stat(screenPath).then(() => true, () => false);
  return {
    label,
    state: problems.length > 0 ? "broken" : "ready",
    parent: parents.get(label),
    current: label === current,
    createdAt: record?.createdAt,
    description: record?.description,
    hasMemory: record?.memory !== undefined,
    memoryBytes: record?.memory?.sizeBytes,
    diskBytes: record && await diskUseBytes(files.layer(home, record.layer)),
    screenPath: hasScreen ? screenPath : undefined,
    problems,
  };
}

/** Rows in the order of their tree, each with its depth in it. */
function tree(rows: Row[], parent?: string, depth = 0): { row: Row; depth: number }[] {
  return rows.filter((row) => row.parent === parent).flatMap((row) => [
    { row, depth },
    ...tree(rows, row.label, depth + 1),
  ]);
}

function line({ row, depth }: { row: Row; depth: number }): string {
  const { label, createdAt, memoryBytes, diskBytes, description, current, problems } = row;
  const facts = [
    createdAt?.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC"),
    memoryBytes === undefined ? undefined : `memory ${formatBytes(memoryBytes)}`,
    diskBytes === undefined ? undefined : `disk ${formatBytes(diskBytes)}`,
    ...problems.map((problem) => `broken: ${problem}`),
    description,
  ].filter((fact) => fact !== undefined);
  return `${"  ".repeat(depth)}${label}${current ? " *" : ""}  ${facts.join(", ")}`;
}

export default operation({
  name: "snapshot.list",
  summary: "List the snapshots of a VM",
  description:
    "The VM's snapshots as a tree: each stands below the one that the VM had gone on from. A star " +
    "marks the one that it goes on from now.",
  effect: "read",
  input: z.strictObject({ name: vmField }),
  output,
  positional: ["name"],
  examples: ["nido snapshot list web", "nido snapshot list web --json"],
  text: ({ name, snapshots }) =>
    snapshots.length === 0
      ? `"${name}" has no snapshots\n  nido snapshot create ${name}`
      : tree(snapshots).map(line).join("\n"),
  run: (context, { name }) => listOf(context, name),
});
