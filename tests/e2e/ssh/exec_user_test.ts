import assert from "node:assert/strict";
import { makeContext } from "../../../lib/context.ts";
import { NidoError } from "../../../lib/errors.ts";
import { connect, type ExecOptions, type SshSession } from "../../../lib/guest/ssh.ts";
import { fromFileUrl } from "../../helpers/paths.ts";
import { startSshd, type TestSshd } from "../../helpers/sshd.ts";

async function enter(sshd: TestSshd): Promise<SshSession> {
  return await connect(makeContext("/nowhere"), sshd.target, { timeoutMs: 20_000 });
}

async function shell(session: SshSession, script: string, options: ExecOptions) {
  const said = { stdout: "", stderr: "" };
  const take = (stream: keyof typeof said) => (chunk: Uint8Array) => {
    said[stream] += new TextDecoder().decode(chunk);
  };
  const run = session.exec(["sh", "-c", script], {
    stdout: take("stdout"),
    stderr: take("stderr"),
    ...options,
  });
  const outcome = await run.then(({ exitCode }) => exitCode, (error) => {
    assert(error instanceof NidoError, `not a NidoError: ${error}`);
    return { code: error.code, message: error.message, hint: error.hint };
  });
  return { ...said, outcome };
}

Deno.test("a command as another user", async (t) => {
  const bin = fromFileUrl("../fixtures/bin");
  await using sshd = await startSshd([`SetEnv SHLVL=5 PATH=${bin}:/usr/bin:/bin`]);
  await using session = await enter(sshd);

  await t.step("runs through sudo, in that user's home, its streams apart", async () => {
    const script = 'echo "$AS_USER $PWD $A"; echo "$0" >&2; exit 7';
    assert.deepEqual(await shell(session, script, { asUser: "nobody", env: { A: "b c" } }), {
      stdout: "nobody /usr b c\n",
      stderr: "sh\n",
      outcome: 7,
    });
    const inside = await shell(session, "pwd", { asUser: "nobody", cwd: "bin/.." });
    assert.deepEqual(inside, { stdout: "/usr\n", stderr: "", outcome: 0 });
  });

  await t.step("whom sudo refuses is an error with its reason, and no output", async () => {
    assert.deepEqual(await shell(session, "id", { asUser: "daemon", cwd: "/" }), {
      stdout: "",
      stderr: "",
      outcome: {
        code: "denied",
        message:
          'Cannot run "sh -c id" in VM "dev" as daemon: sudo refused: sudo: a password is required',
        hint: "nido info dev",
      },
    });
  });

  await t.step("a user that is not there, and a folder that can't be entered", async () => {
    assert.deepEqual((await shell(session, "id", { asUser: "no-such-user" })).outcome, {
      code: "not_found",
      message: 'Cannot run "sh -c id" in VM "dev" as no-such-user: it has no such user',
      hint: "nido exec dev -- cut -d: -f1 /etc/passwd",
    });
    assert.deepEqual((await shell(session, "id", { asUser: "nobody", cwd: "/no/such" })).outcome, {
      code: "not_found",
      message: 'Cannot run "sh -c id" in VM "dev": the folder /no/such can\'t be entered',
      hint: "nido exec dev -- ls -ld /no/such",
    });
  });
});

Deno.test("a guest without sudo says so", async () => {
  await using sshd = await startSshd(["SetEnv SHLVL=5 PATH=/no/such/folder"]);
  await using session = await enter(sshd);
  assert.deepEqual(await shell(session, "id", { asUser: "nobody" }), {
    stdout: "",
    stderr: "",
    outcome: {
      code: "unavailable",
      message: 'Cannot run "sh -c id" in VM "dev" as nobody: the guest has no sudo',
      hint: "nido info dev",
    },
  });
});
