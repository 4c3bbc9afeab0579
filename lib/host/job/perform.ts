import { type Context, uninterrupted } from "../../context.ts";
import { NidoError } from "../../errors.ts";
import type { Call } from "../../operation.ts";
import { sendSignal, startItself } from "../process.ts";
import { writeOutcome } from "./keep.ts";
import { aboutCall, type HostJob, listHostJobs, progressOf, readHostJob } from "./record.ts";

const LOOK_MS = 500;
const CLEAN_UP_MS = 30_000;
const DIE_MS = 5_000;

/**
 * Has a call done by a host job and follows it to its end. A job that does the same already is joined.
 * An interrupt ends the job, unless it is another caller's.
 */
export async function perform(context: Context, call: Call): Promise<Record<string, unknown>> {
  const { digest } = await aboutCall(call);
  const same = (await listHostJobs(context.home))
    .find((job) => job.state === "running" && job.digest === digest);
  const id = same?.id ?? await start(context, call);
  try {
    return resultOf(id, await waitForHostJob(context, id));
  } catch (error) {
    if (context.signal.aborted && !same) await killHostJob(uninterrupted(context), id);
    throw error;
  }
}

/** Waits until a host job has ended, or so long; undefined when it isn't there. */
export async function waitForHostJob(
  context: Context,
  id: string,
  forMs = Infinity,
): Promise<HostJob | undefined> {
  const until = performance.now() + forMs;
  for (let pace = 20;; pace = Math.min(LOOK_MS, pace * 1.5)) {
    context.signal.throwIfAborted();
    const job = await readHostJob(context.home, id);
    const leftMs = until - performance.now();
    if (job?.state !== "running" || leftMs <= 0) return job;
    context.report(await progressOf(context.home, id));
    await new Promise((resolve) => setTimeout(resolve, Math.min(pace, leftMs)));
  }
}

/**
 * Interrupts a host job, which then cleans up after itself; one that has not ended half a minute later
 * is killed, and the next commands clean up. Undefined when it isn't there.
 */
export async function killHostJob(
  context: Context,
  id: string,
  cleanUpMs = CLEAN_UP_MS,
): Promise<{ job: HostJob; wasAlive: boolean } | undefined> {
  const { home, now } = context;
  const quietly = { ...context, report: () => {} };
  let job = await readHostJob(home, id);
  if (job?.state !== "running") return job && { job, wasAlive: false };
  for (const [signal, patienceMs] of [["TERM", cleanUpMs], ["KILL", DIE_MS]] as const) {
    if (job?.state !== "running") break;
    await sendSignal(job.pid, signal); // it holds the job's lock, so the pid is its own
    job = await waitForHostJob(quietly, id, patienceMs);
  }
  if (job?.state === "lost") {
    const error = { code: "cancelled", message: `${job.operation} was ended by force` } as const;
    await writeOutcome(home, id, { endedAt: now().toISOString(), error });
    job = await readHostJob(home, id);
  }
  return job && { job, wasAlive: true };
}

async function start({ home, actor }: Context, { operation, input }: Call): Promise<string> {
  const id = `host-${crypto.getRandomValues(new Uint8Array(3)).toHex()}`;
  const order = JSON.stringify({ operation: operation.name, input, surface: actor.surface });
  const said = await startItself(["perform", id, "--json"], order, { NIDO_HOME: home });
  const { status, error } = answer(said);
  if (status === "ok") return id;
  throw new NidoError(
    error?.code ?? "tool_failed",
    error?.message ?? `Cannot run ${operation.name}: its process ended before it began`,
    { hint: error?.hint ?? "nido doctor", details: error?.details },
  );
}

function answer(said: string): { status?: string; error?: HostJob["error"] } {
  try {
    return JSON.parse(said);
  } catch {
    return {};
  }
}

/** The result of a job that has ended, or its error. */
function resultOf(id: string, job: HostJob | undefined): Record<string, unknown> {
  if (job?.result) return job.result;
  if (job?.error) throw new NidoError(job.error.code, job.error.message, job.error);
  throw new NidoError("unavailable", `How job ${id} ended is not known: its process was killed`, {
    hint: `nido job output ${id}`,
  });
}
