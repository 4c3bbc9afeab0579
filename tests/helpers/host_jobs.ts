import assert from "node:assert/strict";
import { join } from "node:path";
import { type Context, makeContext, type Progress } from "../../lib/context.ts";
import { perform } from "../../lib/host/job/perform.ts";
import { diskLock, imageLock } from "../../lib/image/image.ts";
import { operations } from "../../lib/operations.ts";
import { files } from "../../lib/store/files.ts";
import { tryLockFile } from "../../lib/store/lock.ts";
import { namesIn } from "../../lib/store/record.ts";
import { nido, type Said } from "./command.ts";
import { eventually } from "./nest.ts";
import { type Fixture, fixture, sha256, writeRaw } from "../image/fixture.ts";

/** A job as results tell it. */
export interface Told {
  job: string;
  state: string;
  exitCode?: number;
  command: string;
  result?: Record<string, unknown>;
  error?: { code: string; message: string; hint?: string };
}

/** A home in which imports are host jobs, and can be held up at a known place. */
export interface Work extends Fixture {
  /** A disk to import. */
  file: string;
  /** Calls an operation as a surface does that has long work done by host jobs. */
  call<T = Record<string, unknown>>(
    name: string,
    input?: Record<string, unknown>,
    parts?: Partial<Context>,
  ): Promise<T>;
  /** Runs the real command line. */
  nido(args: string[]): Promise<Said>;
  /** Holds imports up until it is disposed: before they do anything, or half done. */
  holdUp(where: "before" | "half done"): Promise<Disposable>;
  jobs(): Promise<Told[]>;
  /** Begins to import the disk as "tiny", and gives the job that does it. */
  begin(signal?: AbortSignal): Promise<{ job: string; imported: Promise<Record<string, unknown>> }>;
  /** Asserts that no image is here and nothing half-made. */
  assertNothing(): Promise<void>;
}

/** Makes one. */
export async function work(home?: string): Promise<Work> {
  const made = await fixture();
  const at = { ...made, home: home ?? made.home };
  const file = await writeRaw(at.at("disk.raw"));
  const digest = await sha256(file);
  const call: Work["call"] = async <T>(name: string, input = {}, parts = {}) =>
    await (await operations[name]!()).default.call(
      makeContext(at.home, { perform, ...parts }),
      input,
    ) as T;
  const jobs = async () => (await call<{ jobs: Told[] }>("job.list")).jobs;
  return {
    ...at,
    file,
    call,
    jobs,
    nido: (args) => nido(args, { home: at.home }),
    async holdUp(where) {
      const what = where === "before" ? imageLock("tiny") : diskLock(digest);
      return (await tryLockFile(files.lock(at.home, what), "hold it up"))!;
    },
    async begin(signal) {
      const { promise, resolve } = Promise.withResolvers<string>();
      const report = ({ job }: Progress) => resolve(job!);
      const imported = call("image.import", { file, name: "tiny" }, {
        report,
        ...(signal ? { signal } : {}),
      });
      imported.catch(() => {}); // looked at later
      return { job: await promise, imported };
    },
    async assertNothing() {
      for (const folder of [files.images, files.disks, files.staging]) {
        assert.deepEqual(await namesIn(folder(at.home)), []);
      }
    },
  };
}

/** Looks until an import is half done: its copy of the disk is there. */
export async function halfDone({ home }: Work): Promise<void> {
  await eventually("the disk is read", async () => {
    for (const name of await namesIn(files.staging(home))) {
      const built: string[] = await namesIn(join(files.staging(home), name)).catch(() => []);
      if (built.includes("source")) return true; // a job's record is staged, too
    }
    return false;
  });
}

/** The process of a job. */
export async function pidOf(home: string, job: string): Promise<number> {
  return JSON.parse(await Deno.readTextFile(join(files.job(home, job), "job.json"))).pid;
}
