import { join } from "node:path";
import type { Context, Progress } from "../../context.ts";
import type { NidoError } from "../../errors.ts";
import type { Call } from "../../operation.ts";
import { printable } from "../../printable.ts";
import { files, jobFiles } from "../../store/files.ts";
import { prepareHome } from "../../store/home.ts";
import { type Lock, tryLockFile } from "../../store/lock.ts";
import { removeIfThere, writeNewFile, writeRecord } from "../../store/record.ts";
import { stage } from "../../store/staging.ts";
import { aboutCall, type HostJobOutcome, type HostJobRecord, listHostJobs } from "./record.ts";

const KEPT_JOBS = 10;
const SPOKEN_EVERY_MS = 1000;
const ROOM_TRIES = 60;

/** How work ended: with a result, as data and as text, or with an error. */
export type Ending = { result: Record<string, unknown>; text: string } | { error: NidoError };

/** The record of a host job, as its own process keeps it. */
export interface KeptJob {
  report(progress: Progress): void;
  end(ending: Ending): Promise<void>;
}

/** Makes this process a host job: from when its record is seen until it ends, it holds its lock. */
export async function keepHostJob(context: Context, id: string, call: Call): Promise<KeptJob> {
  const { home, now } = context;
  await prepareHome(home);
  const folder = files.job(home, id);
  let lock: Lock | undefined;
  await stage(context, folder, async (staged) => {
    lock = await tryLockFile(join(staged, jobFiles.lock), call.operation.name);
    for (const name of [jobFiles.stdout, jobFiles.stderr]) {
      await writeNewFile(join(staged, name), "");
    }
    const record: HostJobRecord = {
      schemaVersion: 1,
      pid: Deno.pid,
      ...await aboutCall(call),
      startedAt: now().toISOString(),
    };
    await writeRecord(join(staged, jobFiles.record), record);
  });
  await forgetOldJobs(home);
  return {
    report: speaker((line) => write(join(folder, jobFiles.stderr), line)),
    end: async (ending) => {
      const endedAt = now().toISOString();
      if ("error" in ending) {
        const { code, message, hint, details } = ending.error;
        write(join(folder, jobFiles.stderr), `error: ${message}`);
        await writeOutcome(home, id, { endedAt, error: { code, message, hint, details } });
      } else {
        write(join(folder, jobFiles.stdout), ending.text);
        await writeOutcome(home, id, { endedAt, result: ending.result });
      }
      lock?.[Symbol.dispose]();
    },
  };
}

/** Writes how a host job ended; on a full disk it waits a minute for room, as that is worth knowing. */
export async function writeOutcome(
  home: string,
  id: string,
  outcome: Omit<HostJobOutcome, "schemaVersion">,
): Promise<void> {
  const path = join(files.job(home, id), jobFiles.outcome);
  for (let tries = 1;; tries++) {
    try {
      return await writeRecord(path, { schemaVersion: 1, ...outcome });
    } catch (error) {
      if (tries === ROOM_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

async function forgetOldJobs(home: string): Promise<void> {
  const ended = (await listHostJobs(home)).filter(({ state }) => state !== "running");
  for (const { id } of ended.slice(KEPT_JOBS)) await removeIfThere(files.job(home, id));
}

/** Says each stage at once, and what is new in it every second. */
function speaker(say: (line: string) => void): KeptJob["report"] {
  let last = { stage: "", line: "", at: 0 };
  return ({ stage, message, done, total }) => {
    const part = done !== undefined && total ? ` (${Math.floor(done / total * 100)} %)` : "";
    const line = `${stage}: ${printable(message).replaceAll("\n", " ")}${part}`;
    const at = performance.now();
    const soon = stage === last.stage && at - last.at < SPOKEN_EVERY_MS;
    if (soon || line === last.line) return;
    last = { stage, line, at };
    say(line);
  };
}

function write(path: string, line: string): void {
  try {
    Deno.writeTextFileSync(path, line.endsWith("\n") ? line : `${line}\n`, { append: true });
  } catch {
    // The disk is full, or the record was removed by hand: the work is worth more than its words.
  }
}
