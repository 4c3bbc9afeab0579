import { z } from "zod";
import type { Context } from "../context.ts";
import { listJobs } from "../guest/job/job.ts";
import { operation } from "../operation.ts";
import { openSession } from "../vm/reach.ts";
import { vmField } from "../vm/vm.ts";
import { jobOutput, toldJob } from "./job.ts";

const input = z.strictObject({ name: vmField });

const output = z.strictObject({ jobs: z.array(jobOutput).describe("Jobs, the newest first") });

/** Lists the jobs of a running VM: those that run and the newest of those that ended. */
export async function list(
  context: Context,
  { name }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  await using session = await openSession(context, name, "list the jobs of");
  const jobs = await listJobs(session, context.signal);
  return { jobs: jobs.map((job) => toldJob(name, job)) };
}

export default operation({
  name: "job.list",
  summary: "List the background commands of a VM",
  description: "Those that run, and the newest that ended: ten of these are kept in the guest.",
  effect: "read",
  input,
  output,
  positional: ["name"],
  examples: ["nido job list web"],
  run: list,
});
