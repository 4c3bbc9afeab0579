import { z } from "zod";
import type { Context } from "../context.ts";
import { type JobStream, readJobOutput } from "../guest/job/job.ts";
import { HOST_JOB } from "../host/job/record.ts";
import { field, operation } from "../operation.ts";
import { readHostJobOutput } from "./host_job.ts";
import { jobField, noJob, openJob } from "./job.ts";

const offset = z.int().min(-67_108_864).max(Number.MAX_SAFE_INTEGER - 1).default(0);

const input = z.strictObject({
  job: jobField,
  stdoutOffset: offset.describe(
    "Where in stdout to begin: nextOffset of the last call; negative counts from the end",
  ),
  stderrOffset: offset.describe(
    "Where in stderr to begin: nextOffset of the last call; negative counts from the end",
  ),
  maxOutputBytes: field("rare", z.int().min(64).max(1_048_576).default(8192)).describe(
    "Bytes of each stream in the result at most",
  ),
});

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const stream = z.strictObject({
  text: z.string().describe("What it said from offset on"),
  offset: count.describe("Where the text begins"),
  nextOffset: count.describe("Offset for the next call"),
  totalBytes: count.describe("Bytes written so far"),
  isComplete: z.boolean().describe("Whether nothing follows, now or later"),
  missingBytes: count.describe(
    "Bytes before offset that the guest's log no longer has: of a long stream it keeps the " +
      "first and the last MiB",
  ),
  isCutShort: z.boolean().describe("Whether the guest's disk had no room for all of it"),
});

const output = z.strictObject({
  job: z.string().describe("Id of the job"),
  stdout: stream.describe("Standard output"),
  stderr: stream.describe("Standard error"),
});

/** Reads what a job said, from an offset on. */
export async function readOutput(
  context: Context,
  { job, stdoutOffset, stderrOffset, maxOutputBytes: length }: z.output<typeof input>,
): Promise<Record<"stdout" | "stderr", JobStream> & { job: string }> {
  const parts = {
    stdout: { offset: stdoutOffset, length },
    stderr: { offset: stderrOffset, length },
  };
  if (HOST_JOB.test(job)) return { job, ...await readHostJobOutput(context, job, parts) };
  await using open = await openJob(context, job, "read the output of");
  const streams = await readJobOutput(open.session, open.id, parts, context.signal);
  if (!streams) throw noJob(job);
  return { job, ...streams };
}

export default operation({
  name: "job.output",
  summary: "Read what a background command or host work said",
  description:
    "A part of stdout and stderr, also while the job runs. Call it with the nextOffset of both " +
    "until isComplete; to see the end only, begin at -8192. Host work tells its progress on stderr " +
    "and its result, for people, on stdout.",
  effect: "read",
  input,
  output,
  positional: ["job"],
  examples: ["nido job output web.3f2a9c", "nido job output web.3f2a9c --stdout-offset -2048"],
  text: ({ stdout, stderr }) => stdout.text + stderr.text,
  verbatim: true,
  run: readOutput,
});
