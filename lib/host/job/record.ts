import { join } from "node:path";
import { z } from "zod";
import type { Progress } from "../../context.ts";
import { ERROR_CODES, type ErrorCode, toNidoError } from "../../errors.ts";
import { type Call, fieldKind } from "../../operation.ts";
import { files, jobFiles } from "../../store/files.ts";
import { isLocked } from "../../store/lock.ts";
import { namesIn, readRecord } from "../../store/record.ts";
import { sha256 } from "../../sha256.ts";

/** The id of a host job; unlike a guest's it has no dot. */
export const HOST_JOB = /^host-[0-9a-f]{6}$/;

const record = z.object({
  schemaVersion: z.literal(1),
  /** The process that does it, and holds the lock beside this record for as long as it lives. */
  pid: z.int().min(2),
  operation: z.string(),
  command: z.string(),
  /** By which the same call is known. */
  digest: z.string(),
  startedAt: z.string(),
});
export type HostJobRecord = z.output<typeof record>;

const outcome = z.object({
  schemaVersion: z.literal(1),
  endedAt: z.string(),
  result: z.record(z.string(), z.unknown()).optional(),
  error: z.object({
    code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
    message: z.string(),
    hint: z.string().optional(),
    details: z.record(z.string(), z.unknown()).optional(),
  }).optional(),
});
/** How a host job ended. */
export type HostJobOutcome = z.output<typeof outcome>;

/** Work of this host that has a process of its own. */
export interface HostJob extends HostJobRecord, Partial<Omit<HostJobOutcome, "schemaVersion">> {
  id: string;
  /** Derived: how it ended is told by its outcome, whether it goes on by its lock. */
  state: "running" | "exited" | "killed" | "lost";
  /** What the command would have given to a shell. */
  exitCode?: number;
}

/** What a record tells of a call: nothing that is secret, and no contents. */
export async function aboutCall({ operation, input }: Call) {
  const shown = operation.positional.filter((key) =>
    !["content", "secret"].includes(fieldKind(operation.input.shape[key]) ?? "")
  );
  const words = [operation.name.replace(".", " "), ...shown.map((key) => input[key] ?? [])].flat();
  const digest = await sha256(JSON.stringify([operation.name, input]));
  return { operation: operation.name, command: words.join(" ").slice(0, 200), digest };
}

/** Reads a host job; undefined when it isn't there. */
export async function readHostJob(home: string, id: string): Promise<HostJob | undefined> {
  const folder = files.job(home, id);
  const known = await readRecord(join(folder, jobFiles.record), record);
  if (!known) return undefined;
  const lives = await isLocked(join(folder, jobFiles.lock));
  // The outcome is read last: a process that has ended meanwhile had written it before.
  const ended = await readRecord(join(folder, jobFiles.outcome), outcome);
  if (!ended) return { id, ...known, state: lives ? "running" : "lost" };
  const { code } = ended.error ?? {};
  return {
    id,
    ...known,
    ...ended,
    state: code === "cancelled" ? "killed" : "exited",
    exitCode: code === undefined ? 0 : ERROR_CODES[code].exit,
  };
}

/** All host jobs of a home, the newest first; one that can't be read hides no other. */
export async function listHostJobs(home: string): Promise<HostJob[]> {
  const ids = (await namesIn(files.jobs(home))).filter((name) => HOST_JOB.test(name));
  const jobs = await Promise.all(ids.map((id) =>
    readHostJob(home, id).catch((error) => {
      if (toNidoError(error).code !== "integrity") throw error;
    })
  ));
  return jobs.filter((job) => job !== undefined)
    .toSorted((a, b) => a.startedAt < b.startedAt ? 1 : -1);
}

const TAIL_BYTES = 2048;

/** How far a host job is: the last line of what it said. */
export async function progressOf(home: string, id: string): Promise<Progress> {
  using file = await Deno.open(join(files.job(home, id), jobFiles.stderr), { read: true });
  await file.seek(Math.max(0, (await file.stat()).size - TAIL_BYTES), Deno.SeekMode.Start);
  const said = new TextDecoder().decode(await new Response(file.readable).bytes());
  const found = /(?:^|\n)([^\n:]+): ([^\n]+)\n[^\n]*$/.exec(said);
  const [stage, message] = found ? found.slice(1) : ["begin", "it has begun"];
  return { stage: stage!, message: message!, job: id };
}
