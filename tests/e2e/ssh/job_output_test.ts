import assert from "node:assert/strict";
import { join } from "node:path";
import { killJob, waitForJob } from "../../../lib/guest/job/job.ts";
import { ended, enter, guest, said, start, until } from "./job_guest.ts";

Deno.test("the output of a job", async (t) => {
  await using made = await guest();
  const { sshd, jobs } = made;
  await using session = await enter(sshd);

  await t.step("its output is read from any offset, while it runs", async () => {
    const go = join(made.home, "go");
    const script = `printf 'a🐦'; until [ -e '${go}' ]; do sleep 0.05; done; printf 'b'`;
    const id = await start(session, script);
    await until("it said all", async () => (await said(session, id)).stdout.totalBytes === 5);
    const cut = (await said(session, id, 0, 3)).stdout;
    assert.deepEqual([cut.text, cut.nextOffset, cut.isComplete], ["a", 1, false]);
    const rest = (await said(session, id, 1)).stdout;
    assert.deepEqual([rest.text, rest.nextOffset, rest.isComplete], ["🐦", 5, false]);
    const beyond = (await said(session, id, 5)).stdout;
    assert.deepEqual([beyond.text, beyond.nextOffset, beyond.isComplete], ["", 5, false]);
    const running = await waitForJob(session, id, 1);
    assert.deepEqual([running?.state, running?.exitCode], ["running", undefined]);
    await Deno.writeTextFile(go, "");
    await ended(session, id);
    const end = (await said(session, id, 5)).stdout;
    assert.deepEqual([end.text, end.nextOffset, end.isComplete], ["b", 6, true]);
    const last = (await said(session, id, -3)).stdout; // in the middle of the bird
    assert.deepEqual([last.text, last.offset, last.missingBytes], ["b", 5, 0]);
    const far = (await said(session, id, 1e9)).stdout;
    assert.deepEqual([far.text, far.isComplete], ["", true]);
  });

  await t.step("a long output is kept at both ends, byte for byte", async () => {
    const id = await start(session, "seq 1 2000000; echo end >&2");
    const job = await ended(session, id);
    assert.equal(job.stdoutBytes, 14_888_896);
    const whole = Array.from({ length: 2_000_000 }, (_, index) => `${index + 1}\n`).join("");
    let text = "";
    let missing = 0;
    for (let offset = 0;;) {
      const { stdout } = await said(session, id, offset, 1_048_576);
      assert.equal(stdout.text, whole.slice(stdout.offset, stdout.nextOffset));
      missing += stdout.missingBytes;
      text += stdout.text;
      offset = stdout.nextOffset;
      if (stdout.isComplete) break;
    }
    assert.equal(text.length + missing, whole.length);
    assert(missing > 8_000_000, `only ${missing} bytes were dropped`);
    assert(text.length >= 2 * 1_048_576, `only ${text.length} bytes were kept`);
    assert((await said(session, id, -100)).stdout.text.endsWith("1999999\n2000000\n"));
    assert.equal((await said(session, id)).stderr.text, "end\n");
    let kept = 0;
    for await (const { name } of Deno.readDir(join(jobs, id))) {
      kept += (await Deno.stat(join(jobs, id, name))).size;
    }
    assert(kept < 7 * 1_048_576, `${kept} bytes are kept`);
  });

  await t.step("lines are seen as they come, however many", async () => {
    const id = await start(
      session,
      "i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done; sleep 60",
    );
    await until(
      "all lines are there",
      async () => (await said(session, id)).stdout.text.endsWith("\n499\n"),
    );
    assert.equal((await killJob(session, id))?.wasAlive, true);
  });
});
