import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../../lib/context.ts";
import { NidoError } from "../../../lib/errors.ts";
import {
  type Job,
  type JobRequest,
  readJobOutput,
  startJob,
  waitForJob,
} from "../../../lib/guest/job/job.ts";
import { connect, type SshSession } from "../../../lib/guest/ssh.ts";
import { finish, startSshd, type TestSshd } from "../../helpers/sshd.ts";

const context = makeContext("/nowhere");

/** A guest whose user has a home of its own. */
export async function guest(more = "") {
  const home = await Deno.makeTempDir({ prefix: "nido-jobs-" });
  const sshd = await startSshd([`SetEnv SHLVL=5 HOME=${home} ${more}`]);
  return {
    sshd,
    jobs: join(home, ".nido", "jobs"),
    home,
    async [Symbol.asyncDispose]() {
      await sshd[Symbol.asyncDispose]();
      await Deno.remove(home, { recursive: true });
    },
  };
}

/** Enters a guest. */
export const enter = (sshd: TestSshd): Promise<SshSession> =>
  connect(context, sshd.target, { timeoutMs: 20_000 });

/** Starts a shell script as a job. */
export async function start(session: SshSession, script: string, more: Partial<JobRequest> = {}) {
  return await startJob(session, { command: ["sh", "-c", script], ...more });
}

/** Waits until a job has ended. */
export async function ended(session: SshSession, id: string): Promise<Job> {
  const job = await waitForJob(session, id, 40);
  assert(job, "the job is not there");
  assert.notEqual(job.state, "running", "it did not end");
  return job;
}

/** What a job said, from an offset on. */
export async function said(session: SshSession, id: string, offset = 0, length = 8192) {
  const output = await readJobOutput(session, id, {
    stdout: { offset, length },
    stderr: { offset, length },
  });
  assert(output);
  return output;
}

/** How something fails that must. */
export async function failing(run: Promise<unknown>) {
  const error = await run.then(() => assert.fail("it succeeded"), (thrown) => thrown);
  assert(error instanceof NidoError, `not a NidoError: ${error}`);
  return { code: error.code, message: error.message, hint: error.hint };
}

/** Sleeps of one length nobody else uses, so that leftovers are found by it. */
export function oddSleep(): string {
  return `${1000 + Math.floor(Math.random() * 1e6)}.5`;
}

/** The sleeps of such a length. */
export async function processesNaming(word: string): Promise<string[]> {
  const listed = await finish("ps", ["-ww", "-eo", "stat,args"]);
  return listed.split("\n").filter((line) =>
    !line.startsWith("Z") && line.includes(`sleep ${word}`)
  );
}

/** Looks again and again until it is so; gives up after ten seconds. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`it never came true: ${what}`);
}
