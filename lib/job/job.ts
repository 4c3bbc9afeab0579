import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { type Job, JOB_STATES } from "../guest/job/job.ts";
import type { SshSession } from "../guest/ssh.ts";
import { openSession } from "../vm/reach.ts";

/** The input field that names a job; its VM is in its name, so that no record is needed here. */
export const jobField = z.string().regex(
  /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.[0-9a-f]{6}$/,
  "a job's id is its VM's name, a dot and six hexadecimal digits: web.3f2a9c",
).describe("Id of the job, as vm.exec with background gave it: web.3f2a9c");

const bytes = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** What is told of a job, read from its files and processes in the guest. */
export const jobFacts = {
  job: z.string().describe("Id of the job"),
  state: z.enum(JOB_STATES).describe(
    "running; exited (see exitCode); killed (by job.kill); lost (the guest was restarted, or " +
      "something ended the job's watcher: how it ended is not known)",
  ),
  exitCode: z.int().min(0).max(255).optional().describe(
    "Exit code; 128 + n when signal n ended it; absent while it runs and when that is not known",
  ),
  command: z.string().describe("Its command, cut to one short line"),
  user: z.string().optional().describe("Whom it runs as, if not as the login user"),
  startedAt: z.iso.datetime().describe("When it began, by the guest's clock"),
  endedAt: z.iso.datetime().optional().describe("When it exited, by the guest's clock"),
  stdoutBytes: bytes.describe("Bytes written to stdout so far; read them with job.output"),
  stderrBytes: bytes.describe("Bytes written to stderr so far"),
};

/** One job as a result has it. */
export const jobOutput = z.strictObject(jobFacts);

/** A job as results tell it. */
export function toldJob(vm: string, job: Job): z.input<typeof jobOutput> {
  const { id, isAlive: _, pid: __, ...rest } = job;
  return { job: `${vm}.${id}`, ...rest };
}

/** Connects to the VM of a job; `doing` is the verb for errors. */
export async function openJob(
  context: Context,
  job: string,
  doing: string,
): Promise<AsyncDisposable & { session: SshSession; vm: string; id: string }> {
  const [vm, id] = job.split(".") as [string, string];
  const session = await openSession(context, vm, `${doing} job ${job} of`);
  return { session, vm, id, [Symbol.asyncDispose]: () => session.close() };
}

/** The error for a job that its guest doesn't have. */
export function noJob(job: string): NidoError {
  const [vm] = job.split(".");
  return new NidoError("not_found", `No job "${job}" in VM "${vm}"`, {
    hint: `nido job list ${vm}`,
  });
}

/** A job as one line for a person. */
export function jobLine({ job, state, exitCode }: z.output<typeof jobOutput>): string {
  return `${job} ${state}${exitCode === undefined ? "" : ` with ${exitCode}`}`;
}
