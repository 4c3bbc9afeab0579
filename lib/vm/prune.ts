import { z } from "zod";
import type { Context } from "../context.ts";
import { toNidoError } from "../errors.ts";
import { sweepIncubators } from "../moment/incubator.ts";
import { sweepLayers } from "../moment/layers.ts";
import { operation } from "../operation.ts";
import { sweepStaging } from "../store/staging.ts";
import { removeVm } from "./delete.ts";
import { endLeases } from "./end_leases.ts";
import { labels } from "./shape.ts";
import { listVms, type Vm } from "./vm.ts";

const input = z.strictObject({
  crashed: z.boolean().default(false).describe("Crashed VMs too"),
  olderThanHours: z.number().min(0).max(876_000).optional().describe(
    "Only VMs made longer ago than this many hours",
  ),
  labels: labels.optional().describe("Only VMs with all of these labels"),
  dryRun: z.boolean().default(false).describe("Delete nothing, only tell what would go"),
});

const output = z.strictObject({
  deleted: z.array(z.string()).describe("VMs that are gone"),
  wouldDelete: z.array(z.string()).describe("VMs that would go, on a dry run"),
});

/** Deletes stopped VMs; those that run, sleep, are broken or are being worked on stay. */
export async function prune(
  context: Context,
  request: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  await sweepStaging(context.home);
  const vms = await listVms(context);
  const names = vms.filter(isWanted).map(({ name }) => name);
  if (request.dryRun) return { deleted: [], wouldDelete: names };
  await endLeases(context, vms);
  const deleted: string[] = [];
  for (const name of names) if (await removed(context, name, isWanted)) deleted.push(name);
  await sweepIncubators(context);
  await sweepLayers(context);
  return { deleted, wouldDelete: [] };

  function isWanted({ state, record }: Vm): boolean {
    if (!record || !(state === "stopped" || (request.crashed && state === "crashed"))) return false;
    const madeBefore = context.now().getTime() - (request.olderThanHours ?? 0) * 3_600_000;
    return Date.parse(record.createdAt) <= madeBefore &&
      Object.entries(request.labels ?? {}).every(([key, value]) => record.labels[key] === value);
  }
}

// One that another command works on, or that runs by now, is in use and so none of ours.
async function removed(
  context: Context,
  name: string,
  onlyIf: (vm: Vm) => boolean,
): Promise<boolean> {
  try {
    return await removeVm(context, name, { patienceMs: 0, onlyIf });
  } catch (error) {
    if (["busy", "wrong_state"].includes(toNidoError(error).code)) return false;
    throw error;
  }
}

export default operation({
  name: "vm.prune",
  summary: "Delete VMs that are stopped",
  description: "Deletes stopped VMs and their disks, crashed ones only when asked.",
  effect: "destroy",
  input,
  output,
  examples: ["nido prune --dry-run", "nido prune --older-than 24h --crashed"],
  text: ({ deleted, wouldDelete }) => {
    if (deleted.length) return `left the nest: ${deleted.join(", ")}`;
    if (wouldDelete.length) return `would leave the nest: ${wouldDelete.join(", ")}`;
    return "nothing to tidy up";
  },
  run: prune,
});
