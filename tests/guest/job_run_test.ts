import assert from "node:assert/strict";
import { join } from "node:path";
import { killJob, readJobOutput, startJob, waitForJob } from "../../lib/guest/job/job.ts";
import { ended, enter, failing, guest, said, start } from "../e2e/ssh/job_guest.ts";

Deno.test("a job in a guest", async (t) => {
  await using made = await guest();
  const { sshd, jobs } = made;
  await using session = await enter(sshd);

  await t.step("runs to its end with folder, variables, stdin and exit code", async () => {
    const odd = join(made.home, "it's here");
    await Deno.mkdir(odd);
    const id = await start(session, 'pwd; echo "$A"; cat; echo err >&2; exit 7', {
      cwd: odd,
      env: { A: "x y'z" },
      stdin: "ünï\n",
    });
    const job = await ended(session, id);
    assert.deepEqual([job.state, job.exitCode], ["exited", 7]);
    assert.equal(job.command, `sh -c ${'pwd; echo "$A"; cat; echo err >&2; exit 7'}`);
    assert(job.endedAt! >= job.startedAt);
    const { stdout, stderr } = await said(session, id);
    assert.deepEqual(stdout, {
      text: `${odd}\nx y'z\nünï\n`,
      offset: 0,
      missingBytes: 0,
      nextOffset: job.stdoutBytes,
      totalBytes: job.stdoutBytes,
      isComplete: true,
      isCutShort: false,
    });
    assert.deepEqual([stderr.text, stderr.isComplete], ["err\n", true]);
    assert.equal(((await Deno.stat(join(jobs, id))).mode ?? 0) & 0o777, 0o700);
  });

  await t.step("a missing program, a signal and words of any kind", async () => {
    const gone = await startJob(session, { command: ["no-such-program"] });
    assert.equal((await ended(session, gone)).exitCode, 127);
    const killed = await start(session, "kill -9 $$");
    assert.equal((await ended(session, killed)).exitCode, 137);
    const words = ["../x", "$HOME", "it's", "new\nline", "", "-n", "`id`", "🐦"];
    const id = await startJob(session, { command: ["printf", "<%s>", ...words] });
    await ended(session, id);
    const text = words.map((word) => `<${word}>`).join("");
    assert.equal((await said(session, id)).stdout.text, text);
  });

  await t.step("what can't begin says so at once", async () => {
    assert.deepEqual(await failing(start(session, "true", { cwd: "/no/such" })), {
      code: "not_found",
      message: 'Cannot run "sh -c true" in VM "dev": the folder /no/such can\'t be entered',
      hint: "nido exec dev -- ls -ld /no/such",
    });
  });

  await t.step("two at once keep their output apart", async () => {
    const ids = await Promise.all(["one", "two"].map((word) => start(session, `echo ${word}`)));
    for (const [index, id] of ids.entries()) {
      await ended(session, id);
      assert.equal((await said(session, id)).stdout.text, ["one\n", "two\n"][index]);
    }
  });

  await t.step("no job of that id", async () => {
    assert.equal(await waitForJob(session, "ffffff", 1), undefined);
    assert.equal(await killJob(session, "ffffff"), undefined);
    const part = { offset: 0, length: 64 };
    assert.equal(
      await readJobOutput(session, "ffffff", { stdout: part, stderr: part }),
      undefined,
    );
  });
});
