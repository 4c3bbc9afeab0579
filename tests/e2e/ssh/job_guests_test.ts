import assert from "node:assert/strict";
import { join } from "node:path";
import { killJob } from "../../../lib/guest/job/job.ts";
import { fromFileUrl } from "../../helpers/paths.ts";
import { finish, startSshd } from "../../helpers/sshd.ts";
import {
  ended,
  enter,
  failing,
  guest,
  oddSleep,
  processesNaming,
  said,
  start,
  until,
} from "./job_guest.ts";

Deno.test("a job as another user", async (t) => {
  const bin = fromFileUrl("../fixtures/bin");
  await using made = await guest(`PATH=${bin}:/usr/bin:/bin`);
  await using session = await enter(made.sshd);

  await t.step("runs through sudo, and its output is the login user's", async () => {
    const id = await start(session, 'echo "$AS_USER $PWD $A"', {
      asUser: "nobody",
      env: { A: "b c" },
      cwd: "bin/..",
    });
    const job = await ended(session, id);
    assert.deepEqual([job.exitCode, job.user], [0, "nobody"]);
    assert.equal((await said(session, id)).stdout.text, "nobody /usr b c\n");
  });

  await t.step("whom sudo refuses is told at once", async () => {
    assert.deepEqual(await failing(start(session, "id", { asUser: "daemon" })), {
      code: "denied",
      message:
        'Cannot run "sh -c id" in VM "dev" as daemon: sudo refused: sudo: a password is required',
      hint: "nido info dev",
    });
  });
});

Deno.test("a job in a guest whose sh is bash, and that has no setsid", async () => {
  const bin = await Deno.makeTempDir({ prefix: "nido-bin-" });
  for (const folder of ["/usr/bin", "/bin"]) {
    for await (const { name } of Deno.readDir(folder)) {
      if (name === "sh" || name === "setsid") continue;
      await Deno.symlink(join(folder, name), join(bin, name)).catch(() => {}); // in both
    }
  }
  await Deno.symlink("/bin/bash", join(bin, "sh"));
  await using made = await guest(`PATH=${bin}`);
  await using session = await enter(made.sshd);
  const id = await start(
    session,
    'echo "${BASH_VERSION:+bash}"; seq 1 400000; echo err >&2; exit 6',
  );
  const job = await ended(session, id);
  assert.deepEqual([job.state, job.exitCode, job.stdoutBytes], ["exited", 6, 2_688_900]);
  const { stdout, stderr } = await said(session, id, -14);
  assert.deepEqual([stdout.text, stderr.text], ["399999\n400000\n", "err\n"]);
  assert((await said(session, id)).stdout.text.startsWith("bash\n1\n2\n"));
  const word = oddSleep();
  const other = await start(session, `sleep ${word} & sleep ${word}`);
  await until("it runs", async () => (await processesNaming(word)).length >= 2);
  assert.equal((await killJob(session, other))?.job.state, "killed");
  assert.deepEqual(await processesNaming(word), []);
  await Deno.remove(bin, { recursive: true });
});

Deno.test("a guest whose disk is full", async (t) => {
  const home = await Deno.makeTempDir({ prefix: "nido-jobs-" });
  const mounted = await finish("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", home])
    .then(() => true, () => false);
  if (!mounted) return console.log("skipped: a file system can't be mounted here");
  const sshd = await startSshd([`SetEnv SHLVL=5 HOME=${home}`]);
  try {
    await using session = await enter(sshd);
    await t.step("a chatty job ends all the same, and its log says what it lacks", async () => {
      const id = await start(session, "head -c 9000000 /dev/zero; echo done >&2; exit 3");
      const job = await ended(session, id);
      assert.deepEqual([job.state, job.exitCode], ["exited", 3]);
      const { stdout } = await said(session, id, -64);
      assert.deepEqual([stdout.isCutShort, stdout.isComplete], [true, true]);
    });
    await t.step("a new one is refused with the reason", async () => {
      await finish("sh", ["-c", `cat /dev/zero >${home}/fill 2>/dev/null || true`]);
      const refusal = await failing(start(session, "true"));
      assert.equal(refusal.code, "exhausted");
      assert.match(
        refusal.message,
        /^Cannot run "sh -c true" in the background of VM "dev": .*No space left on device$/,
      );
      const left = Array.from(Deno.readDirSync(join(home, ".nido/jobs")), ({ name }) => name);
      assert.deepEqual(left.filter((name) => name.startsWith(".")), []);
    });
  } finally {
    await sshd[Symbol.asyncDispose]();
    await finish("umount", ["-l", home]);
    await Deno.remove(home);
  }
});
