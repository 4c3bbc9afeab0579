import assert from "node:assert/strict";
import { makeContext } from "../../../lib/context.ts";
import { NidoError } from "../../../lib/errors.ts";
import { connect, type ExecOptions, type SshSession } from "../../../lib/guest/ssh.ts";
import { finish, startSshd } from "../../helpers/sshd.ts";

const context = makeContext("/nowhere");
const MIB = 1024 * 1024;

async function capture(session: SshSession, command: string[], options: ExecOptions = {}) {
  const parts = { stdout: [] as Uint8Array[], stderr: [] as Uint8Array[] };
  const result = await session.exec(command, {
    stdout: (chunk) => void parts.stdout.push(chunk),
    stderr: (chunk) => void parts.stderr.push(chunk),
    ...options,
  });
  const text = async (chunks: Uint8Array[]) => await new Blob(chunks as BlobPart[]).text();
  return { ...result, stdout: await text(parts.stdout), stderr: await text(parts.stderr) };
}

async function failing(run: Promise<unknown>): Promise<{ code: string; message: string }> {
  const error = await run.then(() => assert.fail("it succeeded"), (thrown) => thrown);
  assert(error instanceof NidoError, `not a NidoError: ${error}`);
  return { code: error.code, message: error.message };
}

/** Sleeps of one length nobody else uses, so that leftovers are found by it. */
function oddSleep(): string {
  return `${1000 + Math.floor(Math.random() * 1e6)}.25`;
}

async function processesNaming(word: string): Promise<string[]> {
  const listed = await finish("ps", ["-ww", "-eo", "args"]);
  return listed.split("\n").filter((line) => line.startsWith("sleep") && line.includes(word));
}

/** The value that a growing number stops at. */
async function settles(read: () => Promise<number>): Promise<number> {
  for (let last = 0, same = 0;;) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const now = await read();
    same = now > 0 && now === last ? same + 1 : 0;
    if (same === 8) return now;
    last = now;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail("it never came true");
}

Deno.test("exec in a guest", async (t) => {
  await using sshd = await startSshd(["MaxSessions 12"]);
  await using session = await connect(context, sshd.target, { timeoutMs: 20_000 });

  await t.step("passes words exactly and keeps the streams apart", async () => {
    const words = [
      "a b",
      "$HOME",
      "it's",
      '"',
      "\\",
      "*",
      "new\nline",
      "",
      "-n",
      "ünïcødé 🐦",
      "`id`",
    ];
    const { stdout, stderr, exitCode } = await capture(session, ["printf", "<%s>", ...words]);
    assert.equal(stdout, words.map((word) => `<${word}>`).join(""));
    assert.equal(stderr, "");
    assert.equal(exitCode, 0);
    const both = await capture(session, ["sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert.deepEqual([both.stdout, both.stderr, both.exitCode], ["out\n", "err\n", 7]);
  });

  await t.step("tells of signals and missing programs as a shell does", async () => {
    const killed = await capture(session, ["sh", "-c", "kill -9 $$"]);
    assert.deepEqual([killed.exitCode, killed.signal], [137, "SIGKILL"]);
    const ended = await capture(session, ["sh", "-c", "kill -TERM $$"]);
    assert.deepEqual([ended.exitCode, ended.signal], [143, "SIGTERM"]);
    assert.equal((await capture(session, ["no-such-program"])).exitCode, 127);
  });

  await t.step("sets folder and variables", async () => {
    const odd = `${sshd.folder}/it's here`;
    await Deno.mkdir(odd);
    const { stdout } = await capture(session, ["sh", "-c", 'pwd; echo "$A|$B"'], {
      cwd: odd,
      env: { A: "x y'z", B: "two\nlines" },
    });
    assert.equal(stdout, `${odd}\nx y'z|two\nlines\n`);
    assert.deepEqual(await failing(session.exec(["ls"], { cwd: "/no/such" })), {
      code: "not_found",
      message: 'Cannot run "ls" in VM "dev": the folder /no/such can\'t be entered',
    });
    assert.deepEqual(await failing(session.exec(["ls"], { env: { "A;B": "1" } })), {
      code: "invalid_input",
      message: 'Cannot set the variable "A;B": a name has letters, digits and _ only',
    });
  });

  await t.step("carries binary both ways, byte for byte", async () => {
    const bytes = new Uint8Array(300_000).map((_, index) => (index * 7) % 256);
    const back: Uint8Array[] = [];
    await session.exec(["cat"], {
      stdin: new Blob([bytes]).stream(),
      stdout: (chunk) => void back.push(chunk),
    });
    assert.deepEqual(await new Blob(back as BlobPart[]).bytes(), bytes);
  });

  await t.step("gives an empty stdin when there is none", async () => {
    assert.equal((await capture(session, ["wc", "-c"])).stdout.trim(), "0");
  });

  await t.step("ends although the command reads no stdin, which then is cancelled", async () => {
    const cancelled = Promise.withResolvers<void>();
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
      cancel: () => cancelled.resolve(),
    });
    assert.equal((await session.exec(["true"], { stdin: endless })).exitCode, 0);
    await cancelled.promise;
  });

  await t.step("brings all of a large output to a slow reader, one chunk at a time", async () => {
    let size = 0;
    let chunks = 0;
    let taking = 0;
    await session.exec(["sh", "-c", "head -c 67108864 /dev/zero; echo done >&2"], {
      async stdout(chunk) {
        assert.equal(++taking, 1);
        size += chunk.length;
        if (++chunks % 64 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        taking--;
      },
      stderr: () => assert.equal(taking, 0),
    });
    assert.equal(size, 64 * MIB);
  });

  await t.step("hands out no more than a window while the sink is busy", async () => {
    const gate = Promise.withResolvers<void>();
    let chunks = 0;
    let noise = 0;
    const progress = `${sshd.folder}/progress`;
    const script =
      `i=0; while [ $i -lt 32 ]; do head -c 1048576 /dev/zero; echo x >&2; i=$((i+1)); ` +
      `echo $i > '${progress}'; done`;
    const running = session.exec(["sh", "-c", script], {
      stdout: () => ++chunks === 1 ? gate.promise : undefined,
      stderr: () => void noise++,
    });
    const written = async () => Number(await Deno.readTextFile(progress).catch(() => "0"));
    const last = await settles(written);
    assert(last <= 3, `the guest wrote ${last} MiB to a reader that took one chunk`);
    gate.resolve();
    assert.equal((await running).exitCode, 0);
    assert.equal(await written(), 32);
    assert(noise > 0);
  });

  await t.step("asks for no more while a slow reader has some waiting", async () => {
    const progress = `${sshd.folder}/slow_progress`;
    const script = `i=0; while [ $i -lt 24 ]; do head -c 1048576 /dev/zero; i=$((i+1)); ` +
      `echo $i > '${progress}'; done`;
    let taken = 0;
    let ahead = 0;
    await session.exec(["sh", "-c", script], {
      async stdout(chunk) {
        taken += chunk.length;
        const written = Number(await Deno.readTextFile(progress).catch(() => "0"));
        ahead = Math.max(ahead, written - taken / MIB);
        await new Promise((resolve) => setTimeout(resolve, 1));
      },
    });
    assert.equal(taken, 24 * MIB);
    assert(ahead <= 6, `the guest was ${ahead} MiB ahead of its reader`);
  });

  await t.step("takes stdin no faster than the command reads it", async () => {
    const go = `${sshd.folder}/go`;
    let given = 0;
    const stdin = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (given === 32 * MIB) return controller.close();
        given += MIB;
        controller.enqueue(new Uint8Array(MIB));
      },
    });
    const waiting = `until [ -e '${go}' ]; do sleep 0.05; done; wc -c`;
    const running = capture(session, ["sh", "-c", waiting], { stdin });
    await settles(() => Promise.resolve(given));
    assert(given <= 10 * MIB, `${given / MIB} MiB were taken for a command that read nothing`);
    await Deno.writeTextFile(go, "");
    assert.equal((await running).stdout.trim(), String(32 * MIB));
  });

  await t.step("runs ten at a time", async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, (_, index) => capture(session, ["echo", String(index)])),
    );
    assert.deepEqual(all.map(({ stdout }) => stdout), [..."0123456789"].map((n) => `${n}\n`));
  });

  await t.step("a timeout ends the command with all its children", async () => {
    const word = oddSleep();
    const script = `sleep ${word} & (trap '' TERM; sleep ${word}; sleep ${word}) & sleep ${word}`;
    assert.deepEqual(await failing(session.exec(["sh", "-c", script], { timeoutMs: 300 })), {
      code: "timeout",
      message: `Cannot finish "${`sh -c ${script}`.slice(0, 57)}..." in VM "dev": ` +
        "it ran longer than 0.3 s",
    });
    assert.deepEqual(await processesNaming(word), []);
  });

  await t.step("a timeout ends children whose parent is gone, and process groups", async () => {
    const word = oddSleep();
    await failing(session.exec(["sh", "-c", `sleep ${word} & exit 0`], { timeoutMs: 300 }));
    assert.deepEqual(await processesNaming(word), []);
    const grouped = `set -m; sleep ${word} & sleep ${word}`;
    await failing(session.exec(["bash", "-c", grouped], { timeoutMs: 300 }));
    assert.deepEqual(await processesNaming(word), []);
  });

  await t.step("an abort ends the command with all its children", async () => {
    const word = oddSleep();
    const controller = new AbortController();
    const running = failing(
      session.exec(["sh", "-c", `sleep ${word} & sleep ${word}`], { signal: controller.signal }),
    );
    await until(async () => (await processesNaming(word)).length === 2);
    controller.abort();
    assert.deepEqual(await running, {
      code: "cancelled",
      message:
        `Cannot finish "sh -c sleep ${word} & sleep ${word}" in VM "dev": it was interrupted`,
    });
    assert.deepEqual(await processesNaming(word), []);
    assert.equal(
      (await failing(session.exec(["true"], { signal: controller.signal }))).code,
      "cancelled",
    );
  });

  await t.step("a sink that fails ends the command, and its error comes out", async () => {
    const word = oddSleep();
    const broken = session.exec(["sh", "-c", `echo hi; sleep ${word}`], {
      stdout: () => Promise.reject(new TypeError("the pipe is closed")),
    });
    await assert.rejects(broken, new TypeError("the pipe is closed"));
    assert.deepEqual(await processesNaming(word), []);
  });

  await t.step("more sessions than the guest allows", async () => {
    const stop = new AbortController();
    const started = Array.from({ length: 12 }, () => Promise.withResolvers<void>());
    const holders = started.map(({ resolve }) =>
      failing(session.exec(["sh", "-c", "echo on; exec sleep 100"], {
        signal: stop.signal,
        stdout: () => resolve(),
      }))
    );
    await Promise.all(started.map(({ promise }) => promise));
    assert.deepEqual(await failing(session.exec(["true"])), {
      code: "unavailable",
      message:
        'Cannot run "true" in VM "dev": the guest allows no more commands on this connection',
    });
    stop.abort();
    for (const { code } of await Promise.all(holders)) assert.equal(code, "cancelled");
  });
});

Deno.test("a server that dies while a command runs", async () => {
  await using sshd = await startSshd();
  await using session = await connect(context, sshd.target, { timeoutMs: 20_000 });
  const dying = session.exec(["sh", "-c", "kill -9 $PPID; sleep 5"]);
  assert.deepEqual(await failing(dying), {
    code: "unavailable",
    message: 'Cannot finish "sh -c kill -9 $PPID; sleep 5" in VM "dev": ' +
      "the connection ended before it did",
  });
  assert.deepEqual(await failing(session.exec(["true"])), {
    code: "unavailable",
    message: 'Cannot run "true" in VM "dev": the connection is gone',
  });
});

Deno.test("a guest that hangs is noticed", async () => {
  await using sshd = await startSshd();
  const session = await connect(context, sshd.target, { timeoutMs: 20_000, keepaliveMs: 50 });
  let parent = "";
  const running = failing(session.exec(["sh", "-c", "echo $PPID; exec sleep 60"], {
    stdout(chunk) {
      parent = new TextDecoder().decode(chunk).trim();
      Deno.kill(Number(parent), "SIGSTOP");
    },
  }));
  assert.equal((await running).code, "unavailable");
  Deno.kill(Number(parent), "SIGKILL");
  await session.close();
});
