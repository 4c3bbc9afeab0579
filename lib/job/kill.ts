import { z } from "zod";
import type { Context } from "../context.ts";
import { killJob } from "../guest/job/job.ts";
import { killHostJob } from "../host/job/perform.ts";
import { HOST_JOB } from "../host/job/record.ts";
import { operation } from "../operation.ts";
import { foundHostJob, toldHostJob } from "./host_job.ts";
import { jobFacts, jobField, jobLine, noJob, openJob, toldJob } from "./job.ts";

const input = z.strictObject({ job: jobField });

const output = z.strictObject({
  ...jobFacts,
  wasAlive: z.boolean().describe("Whether there was anything to end; if not, nothing was done"),
});

/** Ends a job and all that it started; to end one that has ended does nothing. */
export async function kill(
  context: Context,
  { job }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  if (HOST_JOB.test(job)) {
    const killed = await killHostJob(context, job);
    const found = await foundHostJob(context, job, killed?.job);
    return { ...await toldHostJob(context, found), wasAlive: killed!.wasAlive };
  }
  await using open = await openJob(context, job, "end");
  const killed = await killJob(open.session, open.id, context.signal);
  if (!killed) throw noJob(job);
  return { ...toldJob(open.vm, killed.job), wasAlive: killed.wasAlive };
}

export default operation({
  name: "job.kill",
  summary: "End a background command and its children, or host work",
  description:
    "Ends the job's whole family: TERM first, KILL a second later. Its output stays for " +
    "job.output. A program that closed its streams and left the job is not of its family. Host work " +
    "is interrupted and cleans up after itself.",
  effect: "destroy",
  idempotent: true,
  input,
  output,
  positional: ["job"],
  examples: ["nido job kill web.3f2a9c"],
  text: jobLine,
  run: kill,
});
