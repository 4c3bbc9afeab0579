import { z } from "zod";
import type { Context } from "../context.ts";
import { listJobs } from "../guest/job/job.ts";
import { listHostJobs } from "../host/job/record.ts";
import { operation } from "../operation.ts";
import { toldHostJob } from "./host_job.ts";
import { openSession } from "../vm/reach.ts";
import { vmField } from "../vm/vm.ts";
import { jobOutput, toldJob } from "./job.ts";

const input = z.strictObject({
  name: vmField.optional().describe(
    "Name of the VM; without it, the long work of this host is listed",
  ),
});

const output = z.strictObject({ jobs: z.array(jobOutput).describe("Jobs, the newest first") });

/** Lists the jobs of a running VM or of this host: those that run and the newest of those that ended. */
export async function list(
  context: Context,
  { name }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  if (name === undefined) {
    const jobs = await listHostJobs(context.home);
    return { jobs: await Promise.all(jobs.map((job) => toldHostJob(context, job))) };
  }
  await using session = await openSession(context, name, "list the jobs of");
  const jobs = await listJobs(session, context.signal);
  return { jobs: jobs.map((job) => toldJob(name, job)) };
}

export default operation({
  name: "job.list",
  summary: "List the background commands of a VM, or host work",
  description: "Those that run, and the newest that ended: ten of these are kept.",
  effect: "read",
  input,
  output,
  positional: ["name"],
  examples: ["nido job list web", "nido job list"],
  run: list,
});
