import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually, lives, type Nest, nest, refuses } from "../../helpers/nest.ts";
import { runFiles } from "../../../lib/store/files.ts";
import { runFolder } from "../../../lib/store/run_folder.ts";

/** Starts a program that waits; it is ended with the test. */
function bystander(args: string[]): Deno.ChildProcess & AsyncDisposable {
  const child = new Deno.Command(args[0]!, { args: args.slice(1), stdin: "null" }).spawn();
  return Object.assign(child, {
    async [Symbol.asyncDispose]() {
      if (await lives(child.pid)) child.kill("SIGKILL");
      await child.status;
    },
  });
}

async function crash(home: Nest, name: string): Promise<void> {
  const pid = await home.pid(name);
  Deno.kill(pid, "SIGKILL");
  await eventually("QEMU is gone", async () => !await lives(pid));
}

async function everyVerbLeavesAlive(home: Nest, name: string, pid: number): Promise<void> {
  const survives = async (verb: string) => assert.ok(await lives(pid), `${verb} ended ${pid}`);
  assert.equal((await home.row(name))?.state, "crashed");
  await refuses(
    home.call("vm.stop", { name, force: true }),
    "wrong_state",
    `Cannot stop VM "${name}": it is crashed`,
  );
  await survives("stop --force");
  await home.call("vm.logs", { name });
  await home.call("vm.set", { name, labels: { a: "b" } });
  await survives("set");
  await home.call("vm.start", { name, wait: "running" });
  await survives("start");
  await crash(home, name);
  await Deno.writeTextFile(home.at(name, "pid"), `${pid}\n`);
  await home.call("vm.delete", { names: [name], force: true });
  await survives("delete --force");
}

Deno.test("a pid file that names another program never gets it a signal", async () => {
  await using home = await nest();
  await using sleep = bystander(["sleep", "300"]);
  await home.spawn("x");
  await crash(home, "x");
  await Deno.writeTextFile(home.at("x", "pid"), `${sleep.pid}\n`);
  await everyVerbLeavesAlive(home, "x", sleep.pid);
  await home.assertEmpty();
});

Deno.test("a pid file that names another VM's QEMU never gets it a signal", async () => {
  await using home = await nest();
  await home.spawn("other");
  await home.spawn("x");
  await crash(home, "x");
  const pid = await home.pid("other");
  await Deno.writeTextFile(home.at("x", "pid"), `${pid}\n`);
  await everyVerbLeavesAlive(home, "x", pid);
  assert.equal((await home.row("other"))?.state, "running");
});

Deno.test("a program whose arguments name the pid file, but which is no QEMU, gets no signal", async () => {
  await using home = await nest();
  await home.spawn("x");
  await crash(home, "x");
  const script = join(home.folder, "wait.sh");
  await Deno.writeTextFile(script, "sleep 300 & wait\n");
  await using liar = bystander([
    "sh",
    script,
    "qemu-system-x86_64",
    "-name",
    "guest=x",
    "-pidfile",
    home.at("x", "pid"),
    "-S",
  ]);
  await Deno.writeTextFile(home.at("x", "pid"), `${liar.pid}\n`);
  await everyVerbLeavesAlive(home, "x", liar.pid);
  for (const pid of await childrenOf(liar.pid)) Deno.kill(pid, "SIGKILL");
});

Deno.test("pid files with nonsense are stale, not errors", async () => {
  await using home = await nest();
  await home.spawn("well");
  await home.spawn("x", { wait: "none" });
  for (const text of ["", "\n", "x", "-1", "0", "1", "4294967297", "99999999999"]) {
    await Deno.writeTextFile(home.at("x", "pid"), text);
    assert.match((await home.row("x"))!.state, /^(stopped|crashed)$/);
    assert.equal((await home.row("well"))?.state, "running", JSON.stringify(text));
  }
  await Deno.remove(home.at("x", "pid"));
  await Deno.mkdir(home.at("x", "pid"));
  assert.match((await home.row("x"))!.state, /^(stopped|crashed|broken)$/);
  await home.call("vm.delete", { names: ["x", "well"], force: true });
  await home.assertEmpty();
});

Deno.test("a VM whose QEMU was killed, or whose host restarted, is crashed and starts again", async () => {
  await using home = await nest();
  await home.spawn("x");
  await crash(home, "x");
  assert.equal((await home.row("x"))?.state, "crashed");
  await home.call("vm.start", { name: "x", wait: "running" });
  await crash(home, "x");
  await Deno.writeTextFile(home.at("x", "pid"), "4194303\n");
  assert.equal((await home.row("x"))?.state, "crashed");
  await home.call("vm.start", { name: "x", wait: "running" });
  assert.equal((await home.row("x"))?.state, "running");
  await home.call("vm.stop", { name: "x", force: true });
  assert.equal((await home.row("x"))?.state, "stopped");
});

Deno.test("a machine that does not listen yet is asked again before anything is said of it", async () => {
  await using home = await nest();
  await home.spawn("x");
  const query = join(await runFolder(home.home, { name: "x" }), runFiles.query);
  await Deno.rename(query, `${query}.later`);
  const row = home.row("x");
  await new Promise((resolve) => setTimeout(resolve, 500));
  await Deno.rename(`${query}.later`, query);
  const { state, problems } = (await row)!;
  assert.deepEqual({ state, problems }, { state: "running", problems: [] });
});

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "pid=", "--ppid", String(pid)] })
    .output();
  return new TextDecoder().decode(stdout).trim().split(/\s+/).filter(Boolean).map(Number);
}
