import { z } from "zod";
import type { Context } from "../context.ts";
import { operation } from "../operation.ts";
import { sweepStaging } from "../store/staging.ts";
import { removeVm } from "./delete.ts";
import { listVms } from "./vm.ts";

const input = z.strictObject({
  olderThanHours: z.number().min(0).max(876_000).optional().describe(
    "Only VMs made longer ago than this many hours",
  ),
  labels: z.record(z.string(), z.string()).optional().describe("Only VMs with all of these labels"),
  confirm: z.boolean().default(false).describe("Delete them; without it they are only listed"),
});

const output = z.strictObject({
  deleted: z.array(z.string()).describe("VMs that are gone"),
  wouldDelete: z.array(z.string()).describe("VMs that confirm would delete"),
});

/** Deletes VMs that neither run nor are suspended; broken ones are left for a look. */
export async function prune(
  context: Context,
  { olderThanHours = 0, labels = {}, confirm }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  await sweepStaging(context.home);
  const before = context.now().getTime() - olderThanHours * 3_600_000;
  const names = (await listVms(context)).filter(({ state, record }) =>
    record && (state === "stopped" || state === "crashed") &&
    Date.parse(record.createdAt) <= before &&
    Object.entries(labels).every(([key, value]) => record.labels[key] === value)
  ).map(({ name }) => name);
  if (!confirm) return { deleted: [], wouldDelete: names };
  for (const name of names) await removeVm(context, name, false);
  return { deleted: names, wouldDelete: [] };
}

export default operation({
  name: "vm.prune",
  summary: "Delete VMs that don't run",
  description: "Deletes stopped and crashed VMs. Without confirm it only says which.",
  effect: "destroy",
  input,
  output,
  examples: ["nido prune", "nido prune --older-than 24h --confirm"],
  text: ({ deleted, wouldDelete }) => {
    if (deleted.length) return `gone: ${deleted.join(", ")}`;
    if (wouldDelete.length) return `would go: ${wouldDelete.join(", ")}\n  nido prune --confirm`;
    return "nothing to tidy up";
  },
  run: prune,
});
