import { join } from "node:path";
import type { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import type { JobStream, Part } from "../guest/job/job.ts";
import { utf8Part } from "../guest/output.ts";
import { type HostJob, listHostJobs, readHostJob } from "../host/job/record.ts";
import { nearestName } from "../nearest_name.ts";
import { files, jobFiles } from "../store/files.ts";
import type { jobOutput } from "./job.ts";

/** A host job as results tell it. */
export async function toldHostJob(
  { home }: Context,
  { id, state, exitCode, command, startedAt, endedAt, result, error }: HostJob,
): Promise<z.input<typeof jobOutput>> {
  const bytes = async (name: string) =>
    (await Deno.stat(join(files.job(home, id), name)).catch(() => ({ size: 0 }))).size; // it is forgotten now
  const { code, message, hint } = error ?? {};
  return {
    job: id,
    state,
    exitCode,
    command,
    startedAt,
    endedAt,
    result,
    error: code && message ? { code, message, hint } : undefined,
    stdoutBytes: await bytes(jobFiles.stdout),
    stderrBytes: await bytes(jobFiles.stderr),
  };
}

/** The host job that is meant to be there. */
export async function foundHostJob(
  { home }: Context,
  id: string,
  job: HostJob | undefined,
): Promise<HostJob> {
  if (job) return job;
  const nearest = nearestName(id, (await listHostJobs(home)).map(({ id }) => id));
  throw new NidoError(
    "not_found",
    `No job "${id}" of this host${nearest ? `; the nearest is "${nearest}"` : ""}`,
    { hint: nearest ? `nido job wait ${nearest}` : "nido job list", details: { nearest } },
  );
}

/** Gives a part of what a host job said: its result on stdout, its progress on stderr. */
export async function readHostJobOutput(
  context: Context,
  id: string,
  parts: Record<"stdout" | "stderr", Part>,
): Promise<Record<"stdout" | "stderr", JobStream>> {
  const { state } = await foundHostJob(context, id, await readHostJob(context.home, id));
  const read = (name: "stdout" | "stderr") =>
    readPart(join(files.job(context.home, id), jobFiles[name]), parts[name], state !== "running");
  return { stdout: await read("stdout"), stderr: await read("stderr") };
}

async function readPart(
  path: string,
  { offset, length }: Part,
  ended: boolean,
): Promise<JobStream> {
  using file = await Deno.open(path, { read: true });
  const { size: totalBytes } = await file.stat();
  const from = Math.min(totalBytes, offset < 0 ? Math.max(0, totalBytes + offset) : offset);
  await file.seek(from, Deno.SeekMode.Start);
  const buffer = new Uint8Array(Math.min(length, totalBytes - from));
  const bytes = buffer.subarray(0, await file.read(buffer) ?? 0);
  const isEnd = ended && from + bytes.length >= totalBytes;
  const { text, skipped, size } = utf8Part(bytes, { mayBeginInside: offset < 0, isEnd });
  const nextOffset = from + skipped + size;
  return {
    text,
    offset: from + skipped,
    missingBytes: 0,
    nextOffset,
    totalBytes,
    isComplete: ended && nextOffset >= totalBytes,
    isCutShort: false,
  };
}
