import assert from "node:assert/strict";
import { join } from "node:path";
import { files } from "../../../lib/store/files.ts";
import { errorOf, nest } from "../../helpers/nest.ts";
import { startSshd } from "../../helpers/sshd.ts";

/** Jobs over the real command line: QEMU runs a machine, and a server of this host is its guest. */
Deno.test("jobs by the command line", async (t) => {
  await using home = await nest();
  const guestHome = await Deno.makeTempDir({ prefix: "nido-jobs-" });
  await using sshd = await startSshd([`SetEnv SHLVL=5 HOME=${guestHome}`]);
  await home.spawn("dev");
  const record = JSON.parse(await Deno.readTextFile(home.at("dev", "record")));
  record.user = sshd.target.user;
  record.hostKey = sshd.target.hostKey.trim();
  record.ports.find(({ label }: { label?: string }) => label === "ssh").host = sshd.target.port;
  await Deno.writeTextFile(home.at("dev", "record"), JSON.stringify(record));
  await Deno.writeTextFile(files.privateKey(home.home), sshd.target.privateKey);
  const ok = async (...args: string[]) => {
    const { code, stdout, stderr } = await home.nido(args);
    assert.equal(code, 0, stderr + stdout);
    return stdout;
  };
  // deno-lint-ignore no-explicit-any
  const data = async (...args: string[]): Promise<any> =>
    JSON.parse(await ok(...args, "--json")).data;
  let job = "";

  await t.step("begin, are waited for and read", async () => {
    const script = "echo out; echo err >&2; exit 3";
    job = (await ok("exec", "dev", "--background", "--", "sh", "-c", script)).trim();
    assert.match(job, /^dev\.[0-9a-f]{6}$/);
    const ended = await data("job", "wait", job, "--timeout", "20s");
    assert.deepEqual([ended.job, ended.state, ended.exitCode], [job, "exited", 3]);
    const output = await data("job", "output", job);
    assert.deepEqual([output.stdout.text, output.stderr.text], ["out\n", "err\n"]);
    assert.equal(await ok("job", "wait", job), `${job} exited with 3\n`);
    const { jobs } = await data("jobs", "dev");
    assert.deepEqual(jobs.map(({ job }: { job: string }) => job), [job]);
  });

  await t.step("are ended", async () => {
    const id = (await ok("exec", "dev", "--background", "--", "sleep", "600")).trim();
    assert.equal((await data("job", "wait", id, "--timeout", "1s")).state, "running");
    assert.deepEqual(
      [(await data("job", "kill", id)).state, (await data("job", "kill", id)).wasAlive],
      ["killed", false],
    );
  });

  await t.step("files are written and read", async () => {
    await Deno.writeTextFile(join(home.folder, "text"), "héllo\n");
    const content = ["--content", join(home.folder, "text")];
    assert.equal(
      await ok("write-file", "dev", "a/b", ...content, "--make-folders"),
      "a/b is made: 7 bytes\n",
    );
    assert.equal(await ok("read-file", "dev", "a/b"), "héllo\n");
  });

  await t.step("what makes no sense is refused", async () => {
    const refusal = async (...args: string[]) => {
      const { code, message, hint } = errorOf(await home.nido([...args, "--json"]));
      return [code, message, hint];
    };
    assert.deepEqual(await refusal("job", "wait", "dev.ffffff"), [
      "not_found",
      'No job "dev.ffffff" in VM "dev"',
      "nido job list dev",
    ]);
    for (const name of ["../x", "dev", "dev.../../", "dev.3f2a9", "dev.3F2A9C"]) {
      assert.deepEqual(await refusal("job", "kill", name), [
        "invalid_input",
        "Cannot run job.kill: job: a job's id is its VM's name or host, and six hexadecimal digits: " +
        "web.3f2a9c, host-3f2a9c",
        "nido job kill --help",
      ]);
    }
    const timed = await home.call("vm.exec", {
      name: "dev",
      command: ["make"],
      background: true,
      timeoutSeconds: 5,
    }).catch((error) => error);
    assert.deepEqual([timed.code, timed.message, timed.hint], [
      "invalid_input",
      "Cannot run a command in the background: nobody is there to end it in time",
      "nido exec dev --background -- timeout 5 make",
    ]);
  });

  await t.step("of a VM that was stopped say so", async () => {
    await home.call("vm.stop", { name: "dev", force: true });
    for (const verb of ["wait", "output", "kill"]) {
      const { code, message, hint } = errorOf(await home.nido(["job", verb, job, "--json"]));
      const doing = { wait: "wait for", output: "read the output of", kill: "end" }[verb];
      assert.deepEqual([code, message, hint], [
        "wrong_state",
        `Cannot ${doing} job ${job} of VM "dev": it is stopped`,
        "nido start dev",
      ]);
    }
  });
  await Deno.remove(guestHome, { recursive: true });
});
