import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../lib/context.ts";
import { NidoError } from "../../lib/errors.ts";
import {
  type Job,
  type JobRequest,
  killJob,
  listJobs,
  readJobOutput,
  startJob,
  waitForJob,
} from "../../lib/guest/job/job.ts";
import { KEPT_JOBS } from "../../lib/guest/job/scripts.ts";
import { connect, type SshSession } from "../../lib/guest/ssh.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { finish, startSshd, type TestSshd } from "../helpers/sshd.ts";

const context = makeContext("/nowhere");

/** A guest whose user has a home of its own. */
async function guest(more = "") {
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

const enter = (sshd: TestSshd): Promise<SshSession> =>
  connect(context, sshd.target, { timeoutMs: 20_000 });

async function start(session: SshSession, script: string, more: Partial<JobRequest> = {}) {
  return await startJob(session, { command: ["sh", "-c", script], ...more });
}

async function ended(session: SshSession, id: string): Promise<Job> {
  const job = await waitForJob(session, id, 40);
  assert(job, "the job is not there");
  assert.notEqual(job.state, "running", "it did not end");
  return job;
}

async function said(session: SshSession, id: string, offset = 0, length = 8192) {
  const output = await readJobOutput(session, id, {
    stdout: { offset, length },
    stderr: { offset, length },
  });
  assert(output);
  return output;
}

async function failing(run: Promise<unknown>) {
  const error = await run.then(() => assert.fail("it succeeded"), (thrown) => thrown);
  assert(error instanceof NidoError, `not a NidoError: ${error}`);
  return { code: error.code, message: error.message, hint: error.hint };
}

/** Sleeps of one length nobody else uses, so that leftovers are found by it. */
function oddSleep(): string {
  return `${1000 + Math.floor(Math.random() * 1e6)}.5`;
}

async function processesNaming(word: string): Promise<string[]> {
  const listed = await finish("ps", ["-ww", "-eo", "stat,args"]);
  return listed.split("\n").filter((line) =>
    !line.startsWith("Z") && line.includes(`sleep ${word}`)
  );
}

async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`it never came true: ${what}`);
}

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

  await t.step("begins in the user's home, with no stdin, and hears SIGINT", async () => {
    const id = await start(session, "pwd; wc -c; kill -INT $$; echo deaf");
    assert.equal((await ended(session, id)).exitCode, 130);
    assert.equal((await said(session, id)).stdout.text, `${made.home}\n0\n`);
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

  await t.step("two at once keep their output apart", async () => {
    const ids = await Promise.all(["one", "two"].map((word) => start(session, `echo ${word}`)));
    for (const [index, id] of ids.entries()) {
      await ended(session, id);
      assert.equal((await said(session, id)).stdout.text, ["one\n", "two\n"][index]);
    }
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
