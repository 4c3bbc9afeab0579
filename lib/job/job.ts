import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { type Job, JOB_STATES } from "../guest/job/job.ts";
import type { SshSession } from "../guest/ssh.ts";
import { HOST_JOB } from "../host/job/record.ts";
import { openSession } from "../vm/reach.ts";

const GUEST_JOB = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.[0-9a-f]{6}$/;

/** The input field that names a job: one in a VM, whose name is before the dot, or one of this host. */
export const jobField = z.string().regex(
  new RegExp(`${GUEST_JOB.source}|${HOST_JOB.source}`),
  "a job's id is its VM's name or host, and six hexadecimal digits: web.3f2a9c, host-3f2a9c",
).describe("Id of the job: web.3f2a9c of vm.exec with background, host-3f2a9c of long host work");

const bytes = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** What is told of a job, read from its files and processes in the guest. */
export const jobFacts = {
  job: z.string().describe("Id of the job"),
  state: z.enum(JOB_STATES).describe(
    "running; exited (see exitCode); killed (by job.kill); lost (the guest was restarted, or " +
      "something ended the job's process: how it ended is not known)",
  ),
  exitCode: z.int().min(0).max(255).optional().describe(
    "Exit code; 128 + n when signal n ended it; absent while it runs and when that is not known",
  ),
  command: z.string().describe("Its command, cut to one short line"),
  user: z.string().optional().describe("Whom it runs as, if not as the login user"),
  startedAt: z.iso.datetime().describe("When it began, by the guest's clock"),
  endedAt: z.iso.datetime().optional().describe("When it exited, by the guest's clock"),
  result: z.record(z.string(), z.unknown()).optional().describe(
    "What the host work gave: the result of the operation that began it",
  ),
  error: z.strictObject({
    code: z.string().describe("Code of the error"),
    message: z.string().describe("What happened"),
    hint: z.string().optional().describe("The next command to type"),
  }).optional().describe("Why the host work failed"),
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
export function jobLine({ job, state, exitCode, error }: z.output<typeof jobOutput>): string {
  const ended = exitCode === undefined ? "" : ` with ${exitCode}`;
  return `${job} ${state}${ended}${error ? `: ${error.message}` : ""}`;
}
