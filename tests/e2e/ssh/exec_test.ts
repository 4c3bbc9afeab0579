import assert from "node:assert/strict";
import { join } from "node:path";
import { type Context, makeContext } from "../../../lib/context.ts";
import { NidoError } from "../../../lib/errors.ts";
import { connectAgain } from "../../../lib/guest/connect_again.ts";
import { connect, type SshSession } from "../../../lib/guest/ssh.ts";
import { run as startProcess } from "../../../lib/host/process.ts";
import operation, { exec, execIn } from "../../../lib/vm/exec.ts";
import { fromFileUrl } from "../../helpers/paths.ts";
import { startSshd } from "../../helpers/sshd.ts";

const LONG_BYTES = 300_000_000;

async function failing(run: Promise<unknown>) {
  const error = await run.then(() => assert.fail("it succeeded"), (thrown) => thrown);
  assert(error instanceof NidoError, `not a NidoError: ${error}`);
  return error;
}

Deno.test("exec over a session", async (t) => {
  await using sshd = await startSshd();
  const home = join(sshd.folder, "home");
  await Deno.mkdir(join(home, "vms", "dev"), { recursive: true });
  const context = makeContext(home);
  await using session: SshSession = await connect(context, sshd.target, { timeoutMs: 20_000 });
  const run = (script: string, more: Partial<Parameters<typeof exec>[1]> = {}, to = context) =>
    execIn(to, session, { name: "dev", command: ["sh", "-c", script], ...more });

  await t.step("its result has these keys, and passes its own schema", async () => {
    const result = await run("echo out; echo err >&2; exit 3");
    const { durationMs, ...rest } = operation.output.parse(JSON.parse(JSON.stringify(result)));
    assert(Number.isInteger(durationMs));
    assert.deepEqual(rest, {
      exitCode: 3,
      stdout: "out\n",
      stderr: "err\n",
      stdoutBytes: 4,
      stderrBytes: 4,
      truncated: false,
    });
    const killed = await run("kill -TERM $$");
    assert.deepEqual([killed.exitCode, killed.signal], [143, "SIGTERM"]);
  });

  await t.step("the login user's own name needs no sudo", async () => {
    const { stdout } = await run("id -un", { user: sshd.target.user });
    assert.equal(stdout, `${sshd.target.user}\n`);
  });

  await t.step(
    "64 KiB of each stream are kept, the rest of a long one is in its file",
    async () => {
      const { stdout, stderrBytes, stderr, ...rest } = await run(
        "seq 1 200000; head -c 65536 /dev/zero | tr '\\0' x >&2",
      );
      assert(stdout.startsWith("1\n2\n") && stdout.endsWith("\n199999\n200000\n"));
      const [line = ""] = /\[\.\.\. \d+ bytes left out \.\.\.\]\n/.exec(stdout)!;
      assert(stdout.length - line.length <= 65_537, `${stdout.length} bytes were kept`);
      assert.deepEqual([rest.stdoutBytes, rest.truncated], [1_288_895, true]);
      assert.deepEqual([stderrBytes, stderr.length], [65_536, 65_536]);
      assert.deepEqual([rest.stderrFile, rest.notes], [undefined, undefined]);
      const whole = await Deno.readTextFile(rest.stdoutFile!);
      assert.equal(whole, Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join(""));
    },
  );

  await t.step("an agent gets 8 KiB of each unless it asks for more", async () => {
    const agent: Context = { ...context, actor: { surface: "mcp" } };
    const { stdout, stdoutBytes } = await run("seq 1 20000", {}, agent);
    assert.equal(stdoutBytes, 108_894);
    assert(stdout.length < 8300, `${stdout.length} bytes`);
    assert.equal((await run("seq 1 20000", { maxOutputBytes: 200_000 }, agent)).truncated, false);
  });

  await t.step("a command that is cut short tells what it said", async () => {
    const error = await failing(run("echo so far; exec sleep 100", { timeoutSeconds: 1 }));
    assert.equal(error.code, "timeout");
    assert.equal(error.details?.stdout, "so far\n");
  });

  await t.step("a reader of the stream gets all, and nothing is kept", async () => {
    let size = 0;
    const output = { stdout: (chunk: Uint8Array) => void (size += chunk.length), stderr: () => {} };
    const streaming = { ...context, output };
    const { durationMs: _, ...result } = await run("seq 1 200000; echo >&2", {}, streaming);
    assert.equal(size, 1_288_895);
    assert.deepEqual(result, {
      exitCode: 0,
      stdout: "",
      stderr: "",
      stdoutBytes: 1_288_895,
      stderrBytes: 1,
      truncated: false,
    });
  });

  await t.step("a long output fills a file and not the memory", async () => {
    const program = fromFileUrl("../fixtures/long_output.ts");
    const { stdout } = await startProcess(Deno.execPath(), [
      ...["run", "-A", "--no-prompt", "--v8-flags=--expose-gc", program],
      ...[JSON.stringify(sshd.target), home, String(LONG_BYTES)],
    ]);
    const { stdoutBytes, stdoutFile, grewMib } = JSON.parse(new TextDecoder().decode(stdout));
    assert.equal(stdoutBytes, LONG_BYTES);
    assert.equal((await Deno.stat(stdoutFile)).size, LONG_BYTES);
    assert(grewMib < 200, `it grew by ${grewMib} MiB`);
  });
});

Deno.test("ten sessions at once, more than the guest lets log in together", async () => {
  await using sshd = await startSshd(["MaxStartups 3:100:3"]);
  const context = makeContext(sshd.folder);
  const said = await Promise.all(Array.from({ length: 10 }, async (_, index) => {
    await using session = await connectAgain(context, sshd.target, { timeoutMs: 60_000 });
    return (await execIn(context, session, { name: "dev", command: ["echo", `${index}`] })).stdout;
  }));
  assert.deepEqual(said, [..."0123456789"].map((digit) => `${digit}\n`));
});

Deno.test("a terminal is refused where there is none to give", async () => {
  const request = { name: "dev", command: ["top"], terminal: true };
  const plain = "nido exec dev -- top";
  const terminal = {
    type: "vt100",
    size: () => ({ columns: 80, rows: 24 }),
    lend: () => assert.fail("it was lent"),
  };
  const output = { stdout: () => {}, stderr: () => {} };
  const cannot = "Cannot give the command a terminal: ";
  const refusal = async (parts: Partial<Context>, more = {}) => {
    const error = await failing(exec(makeContext("/nowhere", parts), { ...request, ...more }));
    return [error.code, error.message, error.hint];
  };
  assert.deepEqual(await refusal({ output }), ["invalid_input", `${cannot}this is not one`, plain]);
  assert.deepEqual(await refusal({ terminal }), [
    "invalid_input",
    `${cannot}its output is asked for as a result, not as it comes`,
    plain,
  ]);
  assert.deepEqual(await refusal({ output, terminal }, { stdin: "text" }), [
    "invalid_input",
    `${cannot}its standard input is given as text`,
    plain,
  ]);
});

Deno.test("a user that could be an option is refused", async () => {
  const call = operation.call(makeContext("/nowhere"), {
    name: "dev",
    command: ["id"],
    user: "-s",
  });
  const { code, message } = await failing(call);
  assert.equal(code, "invalid_input");
  assert.equal(
    message,
    "Cannot run vm.exec: user: must be 1 to 32 of a-z A-Z 0-9 . _ - and start with a letter or _",
  );
});
