import { z } from "zod";
import type { Context } from "../context.ts";
import { waitForJob } from "../guest/job/job.ts";
import { waitForHostJob } from "../host/job/perform.ts";
import { HOST_JOB } from "../host/job/record.ts";
import { operation } from "../operation.ts";
import { foundHostJob, toldHostJob } from "./host_job.ts";
import { jobField, jobLine, jobOutput, noJob, openJob, toldJob } from "./job.ts";

const MOST_MCP_SECONDS = 45;

const input = z.strictObject({
  job: jobField,
  timeoutSeconds: z.int().min(1).max(3600).default(30).describe(
    "Most seconds to wait; over MCP at most 45, as clients give up after 60: call again",
  ),
});

/** Waits until a job has ended, or so long; a job that goes on is no error. */
export async function wait(
  context: Context,
  { job, timeoutSeconds }: z.output<typeof input>,
): Promise<z.input<typeof jobOutput>> {
  const most = context.actor.surface === "mcp" ? MOST_MCP_SECONDS : timeoutSeconds;
  const seconds = Math.min(timeoutSeconds, most);
  if (HOST_JOB.test(job)) {
    const ended = await waitForHostJob(context, job, seconds * 1000);
    return await toldHostJob(context, await foundHostJob(context, job, ended));
  }
  await using open = await openJob(context, job, "wait for");
  const found = await waitForJob(open.session, open.id, seconds, context.signal);
  if (!found) throw noJob(job);
  return toldJob(open.vm, found);
}

export default operation({
  name: "job.wait",
  summary: "Wait for a background command or host work",
  description:
    "Returns when the job has ended, or after timeoutSeconds with state running: then call it " +
    "again, read what it said so far with job.output, or end it with job.kill. Of long work of this " +
    "host (host-3f2a9c) it gives the result or the error.",
  effect: "read",
  input,
  output: jobOutput,
  positional: ["job"],
  examples: ["nido job wait web.3f2a9c --timeout 5m", "nido job wait host-3f2a9c"],
  text: jobLine,
  run: wait,
});
