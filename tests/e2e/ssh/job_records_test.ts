import assert from "node:assert/strict";
import { join } from "node:path";
import { killJob, listJobs, waitForJob } from "../../../lib/guest/job/job.ts";
import { KEPT_JOBS } from "../../../lib/guest/job/scripts.ts";
import { ended, enter, guest, start } from "./job_guest.ts";

Deno.test("what a guest keeps of jobs", async (t) => {
  await using made = await guest();
  const { sshd, jobs } = made;

  await t.step("only the newest that ended are kept; those that run stay", async () => {
    await using session = await enter(sshd);
    const running = await start(session, "exec sleep 500");
    const ids: string[] = [];
    for (let count = 0; count < KEPT_JOBS + 3; count++) {
      ids.push(await start(session, "true"));
      await ended(session, ids.at(-1)!);
    }
    const last = await start(session, "true");
    await ended(session, last);
    const listed = (await listJobs(session)).map(({ id }) => id);
    assert(listed.includes(running) && listed.includes(last));
    assert(!listed.includes(ids[0]!));
    assert.equal(listed.length, KEPT_JOBS + 2);
    await killJob(session, running);
  });

  await t.step("what is written over by its own user is told with care", async () => {
    await using session = await enter(sshd);
    const id = await start(session, "echo a; rm about; printf '\\033[2J{' >about", {
      cwd: ".",
      env: {},
    });
    await ended(session, id);
    await Deno.writeTextFile(join(jobs, id, "about"), '{"command": 5}');
    assert.equal((await waitForJob(session, id, 1))?.command, "");
    await Deno.writeTextFile(join(jobs, id, "pid"), "$(reboot) x\n");
    assert.deepEqual(await waitForJob(session, id, 1), undefined);
  });
});
