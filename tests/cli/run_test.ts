import assert from "node:assert/strict";
import { nido, startNido } from "../helpers/command.ts";
import { fromFileUrl } from "../helpers/paths.ts";

const script = fromFileUrl("./sample_operations.ts");

Deno.test("with --json there is one object on standard output and nothing else there", async () => {
  const { code, stdout, stderr } = await nido(["sample", "dev", "--json", "--memory", "1G"], {
    script,
  });
  assert.equal(stdout.split("\n").length, 2);
  assert.deepEqual(JSON.parse(stdout), {
    schemaVersion: 1,
    command: "vm.sample",
    status: "ok",
    data: {
      input: { name: "dev", memoryMib: 1024, wait: "ready", force: false, cache: true },
    },
  });
  assert.deepEqual([code, stderr], [0, ""]);
});

Deno.test("an error in JSON carries code, message, hint and details", async () => {
  const { code, stdout, stderr } = await nido(["command", "--json", "dev", "fail"], { script });
  assert.deepEqual(JSON.parse(stdout), {
    schemaVersion: 1,
    command: "vm.command",
    status: "error",
    error: {
      code: "unavailable",
      message: "Cannot reach it: \x1b[31mit is gone",
      hint: "nido list",
      details: { consoleLines: ["first\x1b[2J", "second"] },
    },
  });
  assert.deepEqual([code, stderr], [125, ""]);
});

Deno.test("a person sees message, last lines and hint, without what would steer the terminal", async () => {
  const { code, stdout, stderr } = await nido(["command", "dev", "fail"], { script });
  assert.equal(
    stderr,
    "error: Cannot reach it: it is gone\n  | first\n  | second\n  try: nido list\n",
  );
  assert.deepEqual([code, stdout], [125, ""]);
});

Deno.test("what a result tells of a guest can't steer the terminal", async () => {
  const said = await nido(["command", "dev", "tell"], { script });
  assert.deepEqual(said, { code: 0, stdout: "left out ab\n", stderr: "" });
});

Deno.test("the exit status is the command's own, with --json too; Nido's own failure is 125", async () => {
  assert.equal((await nido(["command", "dev", "exit", "7"], { script })).code, 7);
  assert.equal((await nido(["command", "--json", "dev", "exit", "7"], { script })).code, 7);
  assert.equal((await nido(["command", "--nope", "dev", "exit", "7"], { script })).code, 125);
  assert.equal((await nido(["sample", "--nope"], { script })).code, 2);
});

Deno.test("standard input reaches the command", async () => {
  const said = await nido(["command", "dev", "cat"], { script, stdin: "a\0b\n" });
  assert.deepEqual(said, { code: 0, stdout: "a\0b\n", stderr: "" });
  const read = await nido(["sample", "--json", "--user-data", "-"], {
    script,
    stdin: "from stdin",
  });
  assert.equal(JSON.parse(read.stdout).data.input.userData, "from stdin");
});

Deno.test("away from a terminal progress is one line a stage; none with --quiet or --json", async () => {
  const spoken = await nido(["command", "dev", "report"], { script });
  assert.equal(spoken.stderr, "boot: one\nready: three █████░░░░░░░░░░░░░░░ 25%\n");
  for (const flag of ["--quiet", "-q", "--json"]) {
    assert.equal((await nido(["command", flag, "dev", "report"], { script })).stderr, "");
  }
});

Deno.test("a reader that leaves ends it quietly", async () => {
  const child = startNido(["command", "dev", "flood"], { script });
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  const errors = new Response(child.stderr).text();
  assert.equal((await child.status).code, 141);
  assert.equal(await errors, "");
  await child.stdin.close();
});

Deno.test("the first Ctrl-C lets it clean up, then it answers cancelled", async () => {
  const child = startNido(["command", "dev", "wait"], { script });
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  assert.equal(decoder.decode((await reader.read()).value), "waiting\n");
  child.kill("SIGINT");
  assert.equal(decoder.decode((await reader.read()).value), "cleaned\n");
  const errors = new Response(child.stderr).text();
  assert.equal((await child.status).code, 130);
  assert.equal(await errors, "error: vm.command was interrupted\n");
  await reader.cancel();
  await child.stdin.close();
});

Deno.test("the second Ctrl-C ends it at once", async () => {
  const child = startNido(["command", "dev", "wait", "forever"], { script });
  const reader = child.stdout.getReader();
  await reader.read();
  const ended = child.status;
  const kill = (signal: Deno.Signal) => {
    try {
      child.kill(signal);
    } catch {
      // it ended between the look and the signal
    }
  };
  let over = false;
  ended.then(() => over = true);
  // signals that come together count as one, so they are sent until one has been the second
  for (let sent = 0; sent < 200 && !over; sent++) {
    kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  kill("SIGKILL");
  assert.equal((await ended).code, 130);
  await Promise.all([reader.cancel(), child.stderr.cancel(), child.stdin.close()]);
});

Deno.test("what can't be named has its code and status", async () => {
  const unknown = await nido(["permisions", "--json"]);
  assert.deepEqual(JSON.parse(unknown.stdout), {
    schemaVersion: 1,
    command: "nido",
    status: "error",
    error: {
      code: "invalid_input",
      message: 'Unknown command "permisions"',
      hint: "nido permissions",
      details: { command: "permisions", nearest: "permissions" },
    },
  });
  assert.equal(unknown.code, 2);
  const spoken = await nido(["permisions"]);
  assert.deepEqual(spoken, {
    code: 2,
    stdout: "",
    stderr: 'error: Unknown command "permisions"\n  try: nido permissions\n',
  });
});
