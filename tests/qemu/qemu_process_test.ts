import assert from "node:assert/strict";
import { fateOf } from "../../lib/qemu/qemu_process.ts";

// A program that is in the process list what QEMU would be.
const STAND_IN = 'exec -a "qemu-system-x86_64 -name guest=x -pidfile $0 -S" sleep 60';

async function startStandIn(pidFile: string): Promise<Deno.ChildProcess> {
  const child = new Deno.Command("bash", { args: ["-c", STAND_IN, pidFile] }).spawn();
  await write(pidFile, child.pid);
  while (typeof await fateOf(pidFile) === "string") { /* bash has not become it yet */ }
  return child;
}

async function write(pidFile: string, pid: number): Promise<void> {
  await Deno.writeTextFile(`${pidFile}.new`, `${pid}\n`);
  await Deno.rename(`${pidFile}.new`, pidFile);
}

Deno.test("QEMU lives, has died, or has removed its pid file at its end", async () => {
  const folder = await Deno.makeTempDir();
  const pidFile = `${folder}/qemu.pid`;
  assert.equal(await fateOf(pidFile), "none");
  const machine = await startStandIn(pidFile);
  assert.deepEqual(await fateOf(pidFile), { pid: machine.pid });
  machine.kill("SIGKILL");
  await machine.status;
  assert.equal(await fateOf(pidFile), "died");
  await Deno.remove(pidFile);
  assert.equal(await fateOf(pidFile), "none");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a QEMU that lives is never said to have died, whenever its pid file appears and goes", async () => {
  const folder = await Deno.makeTempDir();
  const pidFile = `${folder}/qemu.pid`;
  const machine = await startStandIn(pidFile);
  let isOver = false;
  const coming = (async () => {
    while (!isOver) {
      await write(pidFile, machine.pid);
      await Deno.remove(pidFile);
    }
  })();
  const seen = new Set<string>();
  for (let look = 0; look < 300; look++) {
    const fate = await fateOf(pidFile);
    seen.add(typeof fate === "string" ? fate : "lives");
  }
  isOver = true;
  await coming;
  machine.kill("SIGKILL");
  await machine.status;
  assert.deepEqual([...seen].sort(), ["lives", "none"]);
  await Deno.remove(folder, { recursive: true });
});
