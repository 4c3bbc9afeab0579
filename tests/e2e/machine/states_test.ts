import assert from "node:assert/strict";
import { NidoError } from "../../../lib/errors.ts";
import { files } from "../../../lib/store/files.ts";
import { isLocked } from "../../../lib/store/lock.ts";
import { vmLock } from "../../../lib/vm/vm.ts";
import { eventually, lives, type Nest, nest } from "../../helpers/nest.ts";

const STATES = ["running", "paused", "stopped", "crashed", "broken"] as const;
type State = (typeof STATES)[number];

/** What each verb does in each state: `ok`, or the code of its refusal. */
const W = "wrong_state";
const I = "integrity";
const VERBS: Record<string, { input: Record<string, unknown>; answers: string[]; word?: string }> =
  {
    //                                               running paused stopped crashed broken
    "vm.start": { input: { wait: "running" }, answers: [W, W, "ok", "ok", I] },
    "vm.stop": { input: { force: true }, answers: ["ok", "ok", W, W, I] },
    "vm.restart": { input: {}, answers: ["-", "-", "-", "-", I] },
    "vm.pause": { input: {}, answers: ["ok", W, W, W, I] },
    "vm.resume": { input: {}, answers: [W, "ok", W, W, I] },
    "vm.info": { input: {}, answers: ["ok", "ok", "ok", "ok", "ok"] },
    "vm.logs": { input: {}, answers: ["ok", "ok", "ok", "ok", "ok"] },
    "vm.set": { input: { labels: { a: "b" } }, answers: ["ok", "ok", "ok", "ok", I] },
    "vm.display": { input: { show: "on" }, answers: ["ok", "ok", W, W, I], word: "show" },
    "vm.ssh_info": { input: {}, answers: ["ok", "ok", "ok", "ok", I] },
    "vm.exec": {
      input: { command: ["true"] },
      answers: ["-", W, W, W, I],
      word: "run a command in",
    },
    "vm.upload": {
      input: { source: "/etc/hostname", destination: "/tmp/x" },
      answers: ["-", W, W, W, I],
      word: "copy into",
    },
    "vm.download": {
      input: { source: "/etc/hostname", destination: "/tmp/nido-never" },
      answers: ["-", W, W, W, I],
      word: "copy out of",
    },
    "vm.wait": { input: { timeoutSeconds: 1 }, answers: ["-", W, W, W, I], word: "wait for" },
    "vm.delete": { input: {}, answers: [W, W, "ok", "ok", "ok"] },
  };

for (const [column, state] of STATES.entries()) {
  Deno.test(`every verb on a VM that is ${state}`, async () => {
    await using home = await nest();
    for (const [verb, { input, answers, word }] of Object.entries(VERBS)) {
      const answer = answers[column]!;
      if (answer === "-") continue; // needs a real guest: tested elsewhere
      await bringInto(home, state);
      const target = verb === "vm.delete" ? { names: ["x"] } : { name: "x" };
      const told = await home.call(verb, { ...target, ...input }).then(() => "ok", told_);
      if (answer === "ok") assert.equal(told, "ok", verb);
      else assert.deepEqual(told, refusal(home, verb, word, state, answer), verb);
      if (answer !== "ok") assert.equal((await home.row("x"))?.state, state, `${verb} changed it`);
    }
  });
}

function told_(error: unknown) {
  assert.ok(error instanceof NidoError, String(error));
  return { code: error.code, message: error.message };
}

function refusal(home: Nest, verb: string, word: string | undefined, state: State, code: string) {
  if (code === I) {
    const path = home.at("x", "record");
    return { code, message: `VM "x" is broken: Cannot read ${path}: it is not JSON` };
  }
  return { code, message: `Cannot ${word ?? verb.slice(3)} VM "x": it is ${state}` };
}

async function bringInto(home: Nest, state: State): Promise<void> {
  const row = await home.row("x");
  if (row?.state === state && state !== "broken") return;
  if (row) await home.call("vm.delete", { names: ["x"], force: true });
  await home.spawn("x", { wait: state === "stopped" || state === "broken" ? "none" : "running" });
  if (state === "paused") await home.call("vm.pause", { name: "x" });
  if (state === "broken") await Deno.writeTextFile(home.at("x", "record"), "{");
  if (state === "crashed") {
    const pid = await home.pid("x");
    Deno.kill(pid, "SIGKILL");
    await eventually("QEMU is gone", async () => !await lives(pid));
  }
  assert.equal((await home.row("x"))?.state, state);
}

Deno.test("restart stops and starts a VM as one act: nobody gets in between", async () => {
  await using home = await nest();
  await home.spawn("x");
  const before = await home.pid("x");
  const restarting = home.call("vm.restart", { name: "x", timeoutSeconds: 2 }).catch(told_);
  await eventually("it is being restarted", async () => await isLocked(lockOf(home)));
  const starts = await Promise.all(
    Array.from({ length: 5 }, () => home.call("vm.start", { name: "x" }).catch(told_)),
  );
  for (const start of starts) {
    assert.deepEqual(start, {
      code: "wrong_state",
      message: 'Cannot start VM "x": it is running',
    });
  }
  // Its guest has no SSH server: it is up again, and not ready in time.
  assert.equal((await restarting).code, "timeout");
  assert.equal((await home.row("x"))?.state, "running");
  assert.notEqual(await home.pid("x"), before);
});

function lockOf({ home }: Nest): string {
  return files.lock(home, vmLock("x", "restart").what);
}

Deno.test("a VM that is not there: every verb names the nearest one", async () => {
  await using home = await nest();
  await home.spawn("robin", { wait: "none" });
  for (const [verb, { input }] of Object.entries(VERBS)) {
    const target = verb === "vm.delete" ? { names: ["robbin"] } : { name: "robbin" };
    const told = await home.call(verb, { ...target, ...input }).then(() => "ok", told_);
    assert.deepEqual(told, {
      code: "not_found",
      message: 'No VM "robbin"; the nearest is "robin"',
    }, verb);
  }
});

Deno.test("a half-started VM is stopped, and start, set, stop and delete work on it", async () => {
  await using home = await nest();
  for (const verb of ["start", "set", "stop", "delete"]) {
    await home.spawn("x", { wait: "none" });
    await halfStart(home);
    const row = await home.row("x");
    assert.equal(row?.state, "stopped");
    assert.deepEqual(row?.problems, ["its start is not finished, or was interrupted"]);
    const pid = await home.pid("x");
    if (verb === "start") await home.call("vm.start", { name: "x", wait: "running" });
    if (verb === "stop") await home.call("vm.stop", { name: "x" });
    if (verb === "set") {
      await home.call("vm.set", { name: "x", diskGib: 1, ports: ["80"], memoryMib: 160 });
      await home.call("vm.start", { name: "x", wait: "running" });
    }
    if (verb === "delete") await home.call("vm.delete", { names: ["x"] });
    else await home.call("vm.delete", { names: ["x"], force: true });
    assert.ok(!await lives(pid), `${verb} left the half-started QEMU`);
    await home.assertEmpty();
  }
});

/** Starts a VM as Nido does and dies before the guest is let go. */
async function halfStart(home: Nest): Promise<void> {
  const { runVictim } = await import("../../helpers/victim.ts");
  const { stderr } = await runVictim(home.home, ["start", "x", "--wait", "running"], {
    atChmod: "vnc.sock",
  });
  assert.match(stderr, /killed before .*chmod .*vnc\.sock/);
}
