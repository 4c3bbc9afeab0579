import assert from "node:assert/strict";
import { join } from "node:path";
import { killJob, waitForJob } from "../../../lib/guest/job/job.ts";
import { finish } from "../../helpers/sshd.ts";
import { ended, enter, guest, oddSleep, processesNaming, said, start, until } from "./job_guest.ts";

Deno.test("a job and its family", async (t) => {
  await using made = await guest();
  const { sshd, jobs } = made;

  await t.step("outlives the connection that began it", async () => {
    const word = oddSleep();
    const id = await (async () => {
      await using session = await enter(sshd);
      return await start(session, `echo before; sleep ${word}; echo after`);
    })();
    await using session = await enter(sshd);
    assert.equal((await waitForJob(session, id, 1))?.state, "running");
    assert.equal((await processesNaming(word)).length, 2); // the shell and its sleep
    await finish("pkill", ["-x", "-f", `sleep ${word}`]);
    assert.equal((await ended(session, id)).exitCode, 0);
    assert.equal((await said(session, id)).stdout.text, "before\nafter\n");
  });

  await t.step("is ended with all its children, whatever they do", async () => {
    await using session = await enter(sshd);
    const word = oddSleep();
    const script = `echo on; sleep ${word} & (trap '' TERM; sleep ${word}; sleep ${word}) & ` +
      `setsid sleep ${word} & sleep ${word}`;
    const id = await start(session, script);
    await until("all of it runs", async () => (await processesNaming(word)).length >= 4);
    const killed = await killJob(session, id);
    assert.deepEqual(await processesNaming(word), []);
    assert.deepEqual([killed?.wasAlive, killed?.job.state], [true, "killed"]);
    assert.equal((await said(session, id)).stdout.text, "on\n");
    const again = await killJob(session, id);
    assert.deepEqual([again?.wasAlive, again?.job.state], [false, "killed"]);
  });

  await t.step("one that obeys has the exit code of its signal", async () => {
    await using session = await enter(sshd);
    const id = await start(session, "echo so far; exec sleep 500");
    await until("it began", async () => (await said(session, id)).stdout.text !== "");
    const killed = await killJob(session, id);
    assert.deepEqual([killed?.job.state, killed?.job.exitCode], ["killed", 143]);
    assert.equal((await said(session, id)).stdout.isComplete, true);
  });

  await t.step("what it leaves behind holds its output open, and can be ended", async () => {
    await using session = await enter(sshd);
    const word = oddSleep();
    const id = await start(session, `sleep ${word} & exit 4`);
    const job = await ended(session, id);
    assert.deepEqual([job.state, job.exitCode, job.isAlive], ["exited", 4, true]);
    assert.equal((await said(session, id)).stdout.isComplete, false);
    const killed = await killJob(session, id);
    assert.deepEqual([killed?.wasAlive, killed?.job.state], [true, "exited"]);
    assert.deepEqual(await processesNaming(word), []);
  });

  await t.step("one whose watcher was killed is lost, and its number is nobody's", async () => {
    await using session = await enter(sshd);
    const id = await start(session, "exec sleep 500");
    const job = await waitForJob(session, id, 1);
    const victim = oddSleep();
    await finish("kill", ["-KILL", "--", `-${job!.pid}`]);
    const lost = await ended(session, id);
    assert.deepEqual([lost.state, lost.exitCode], ["lost", undefined]);

    // another process has the number now, and another boot has the time
    const other = new Deno.Command("sleep", { args: [victim] }).spawn();
    const pidFile = join(jobs, id, "pid");
    const [, began, boot, started] = (await Deno.readTextFile(pidFile)).trim().split(" ");
    await Deno.writeTextFile(pidFile, `${other.pid} ${began} ${boot} ${started}\n`);
    assert.equal((await killJob(session, id))?.wasAlive, false);
    const stat = await Deno.readTextFile(`/proc/${other.pid}/stat`);
    const itsOwn = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    const yesterday = "00000000-0000-0000-0000-000000000000";
    await Deno.writeTextFile(pidFile, `${other.pid} ${itsOwn} ${yesterday} ${started}\n`);
    assert.equal((await killJob(session, id))?.wasAlive, false);
    assert.equal((await processesNaming(victim)).length, 1);
    await Deno.writeTextFile(pidFile, `${other.pid} ${itsOwn} ${boot} ${started}\n`);
    assert.equal((await killJob(session, id))?.wasAlive, true); // the check above could fail
    await other.status;
  });
});
