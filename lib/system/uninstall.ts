import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { listHostJobs } from "../host/job/record.ts";
import { listIncubators, sweepIncubators } from "../moment/incubator.ts";
import { operation } from "../operation.ts";
import { deleteVms } from "../vm/delete.ts";
import { listVms } from "../vm/vm.ts";
import { type Copy, thisCopy, updatedOtherwise } from "./installed/copy.ts";
import type { Env } from "./installed/profile.ts";
import { findTraces } from "./installed/traces.ts";

const input = z.strictObject({
  purge: z.boolean().default(false).describe("Remove the home too, with all VMs, images and keys"),
  dryRun: z.boolean().default(false).describe("Only list what would be removed"),
  force: z.boolean().default(false).describe(
    "Also while VMs run: they go on, or end where --purge removes them",
  ),
});

const output = z.strictObject({
  removed: z.array(z.strictObject({
    what: z.enum(["completion", "path", "home", "previous", "binary"]).describe("What it is"),
    path: z.string().describe("Where it is"),
  })).describe("What was removed, or would be"),
  dryRun: z.boolean().describe("True when nothing was removed"),
  running: z.array(z.string()).describe("Names of the VMs that ran"),
  left: z.string().optional().describe("What of Nido is left, and why"),
  byHand: z.string().optional().describe(
    "Command that opens the settings where PATH may still name the folder, as nobody else could look",
  ),
});

type Output = z.output<typeof output>;

/** Takes Nido off this machine: what its installers put there, and nothing else. */
export async function uninstall(
  context: Context,
  { purge = false, dryRun = false, force = false }: z.input<typeof input>,
  { copy = thisCopy(), env = Deno.env.get }: { copy?: Copy; env?: Env } = {},
): Promise<Output> {
  const vms = await listVms(context);
  const running = vms.filter(({ pid }) => pid !== undefined).map(({ name }) => name);
  const { traces, byHand } = await findTraces(context, { copy, env, withHome: purge });
  if (!dryRun) {
    if (running.length && !force) throw vmsRun(running);
    if (purge) await emptyHome(context, vms.map(({ name }) => name));
    for (const { path, what, remove } of traces) {
      context.report({ stage: "remove", message: `Removing the ${what} ${path}` });
      await remove();
    }
  }
  const removed = traces.map(({ what, path }) => ({ what, path }));
  return { removed, dryRun, running, left: updatedOtherwise(copy)?.fact, byHand };
}

/** Ends what runs out of the home, or refuses what is somebody's work. */
async function emptyHome(context: Context, vms: string[]): Promise<void> {
  const jobs = (await listHostJobs(context.home)).filter(({ state }) => state === "running");
  if (jobs.length) {
    const ids = jobs.map(({ id }) => id);
    throw new NidoError("in_use", `Cannot remove the home: jobs run: ${ids.join(", ")}`, {
      hint: `nido job kill ${ids[0]}`,
      details: { jobs: ids },
    });
  }
  await sweepIncubators(context);
  if ((await listIncubators(context)).length) {
    throw new NidoError("in_use", "Cannot remove the home: another command warms an image", {
      hint: "nido doctor",
    });
  }
  if (vms.length) await deleteVms(context, { names: vms, force: true });
}

function vmsRun(running: string[]): NidoError {
  return new NidoError("in_use", `Cannot uninstall Nido: VMs run: ${running.join(", ")}`, {
    hint: `nido stop ${running[0]}`,
    details: { running },
  });
}

function asText({ removed, dryRun, running, left, byHand }: Output): string {
  const verb = dryRun ? "would remove" : "removed";
  const lines = removed.map(({ what, path }) => `${verb}  ${what.padEnd(10)}  ${path}`);
  if (!lines.length) lines.push("Nothing here was put by Nido's installer.");
  if (running.length) lines.push(`VMs run: ${running.join(", ")}`);
  if (left) lines.push(`The program stays: ${left}.`);
  if (byHand) lines.push(`Look into PATH for its folder, and take it out: ${byHand}`);
  return lines.join("\n");
}

export default operation({
  name: "system.uninstall",
  summary: "Remove Nido from this machine",
  description: "Removes the binary and the one before it, completions, and the lines that the " +
    "installer wrote into the start-up files of shells or, on Windows, into the user's PATH. VMs, images and settings stay, unless " +
    "--purge removes the home.",
  effect: "destroy",
  idempotent: true,
  surfaces: ["cli"],
  input,
  output,
  examples: ["nido uninstall --dry-run", "nido uninstall", "nido uninstall --purge --force"],
  text: asText,
  run: (context: Context, input) => uninstall(context, input),
});
