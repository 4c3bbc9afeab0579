import assert from "node:assert/strict";
import { takeLock } from "../../../lib/store/lock.ts";
import { errorOf, eventually, lives, machinesOf, nest, type Row } from "../../helpers/nest.ts";
import { startNido } from "../../helpers/command.ts";
import { fromFileUrl } from "../../helpers/paths.ts";

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

Deno.test("20 spawns at once from 20 processes: distinct names and ports, list stays whole", async () => {
  await using home = await nest();
  let isOver = false;
  const looking = (async () => {
    const states = new Set<string>();
    while (!isOver) {
      for (const row of await home.list()) states.add(row.state);
      const said = await home.nido(["list", "--json"]);
      assert.equal(said.code, 0, said.stderr);
      JSON.parse(said.stdout);
    }
    return states;
  })();
  const spawned = await Promise.all(
    range(20).map(async (index) => {
      const name = index % 2 ? [`vm-${index}`] : [];
      const said = await home.nido(["spawn", ...name, "--wait", "running", "--json"]);
      assert.equal(said.code, 0, said.stdout + said.stderr);
      return JSON.parse(said.stdout).data as { name: string; ports: { host: number }[] };
    }),
  );
  isOver = true;
  for (const state of await looking) assert.match(state, /running|stopped/);
  assert.equal(new Set(spawned.map(({ name }) => name)).size, 20);
  assert.equal(new Set(spawned.map(({ ports }) => ports[0]!.host)).size, 20);
  const rows = await home.list();
  assert.deepEqual(rows.map(({ state }) => state), rows.map(() => "running"));
  assert.equal(rows.length, 20);
  const recorded = new Set(rows.map(({ sshPort }) => sshPort));
  assert.deepEqual(recorded, new Set(spawned.map(({ ports }) => ports[0]!.host)));

  const deleted = await Promise.all(
    spawned.map(({ name }) => home.nido(["delete", name, "--force"])),
  );
  assert.deepEqual(deleted.map(({ code }) => code), deleted.map(() => 0));
  await home.assertEmpty();
});

Deno.test("10 processes spawn the same name: one wins, the others are told, nothing is left over", async () => {
  await using home = await nest();
  const said = await Promise.all(
    range(10).map(() => home.nido(["spawn", "same", "--wait", "running", "--json"])),
  );
  const [won, lost] = [
    said.filter(({ code }) => code === 0),
    said.filter(({ code }) => code !== 0),
  ];
  assert.equal(won.length, 1, JSON.stringify(said));
  for (const loser of lost) {
    const { code, message } = errorOf(loser);
    assert.deepEqual({ code, message }, {
      code: "already_exists",
      message: 'Cannot spawn VM "same": the name is taken',
    });
  }
  assert.equal((await machinesOf(home.home)).size, 1);
  await home.call("vm.delete", { names: ["same"], force: true });
  await home.assertEmpty();
});

Deno.test("spawns, starts, stops and deletes of one name never leave two machines or a lost one", async () => {
  await using home = await nest();
  const verbs = [
    ["spawn", "x", "--wait", "running"],
    ["start", "x", "--wait", "running"],
    ["stop", "x", "--force"],
    ["delete", "x", "--force"],
    ["delete", "x"],
  ];
  let most = 0;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) most = Math.max(most, (await machinesOf(home.home)).size);
  })();
  const allowed = /^(already_exists|wrong_state|not_found)$/;
  await Promise.all(
    verbs.flatMap((verb) => [verb, verb]).map(async (verb) => {
      for (let round = 0; round < 3; round++) {
        const said = await home.nido([...verb, "--json"]);
        if (said.code !== 0) assert.match(errorOf(said).code, allowed, said.stdout);
      }
    }),
  );
  isOver = true;
  await watching;
  assert.ok(most <= 1, `${most} machines at once`);
  const row = await home.row("x");
  assert.equal((await machinesOf(home.home)).size, row?.state === "running" ? 1 : 0);
  if (row) await home.call("vm.delete", { names: ["x"], force: true });
  await home.assertEmpty();
});

Deno.test("a VM that another command works on is busy after ten seconds, and the holder is named", async () => {
  await using home = await nest();
  await home.spawn("x", { wait: "none" });
  using _lock = await takeLock(home.context, { what: "vm-x", doing: 'paint VM "x"' });
  const since = performance.now();
  const said = await home.nido(["start", "x", "--wait", "running", "--json"]);
  const waited = performance.now() - since;
  assert.ok(waited > 9_500 && waited < 25_000, `waited ${waited} ms`);
  assert.equal(said.code, 7);
  const { code, message, hint } = errorOf(said);
  assert.equal(code, "busy");
  const shape = new RegExp(
    `^Cannot start VM "x": process ${Deno.pid} holds it to paint VM "x" since \\S+Z$`,
  );
  assert.match(message, shape);
  assert.equal(hint, `ps -p ${Deno.pid}`);
  assert.equal((await home.row("x"))?.state, "stopped");
});

Deno.test("a killed holder frees the VM at once", async () => {
  await using home = await nest();
  await home.spawn("x", { wait: "none" });
  const script = fromFileUrl("../fixtures/hold_lock.ts");
  const holder = startNido(["vm-x"], { home: home.home, script });
  const reader = holder.stdout.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /held/);
  reader.releaseLock();
  const starting = home.call("vm.start", { name: "x", wait: "running" });
  holder.kill("SIGKILL");
  const killedAt = performance.now();
  await starting;
  assert.ok(performance.now() - killedAt < 5_000);
  await Promise.all([holder.stdin.close(), holder.stdout.cancel(), holder.stderr.cancel()]);
  assert.equal((await home.row("x"))?.state, "running");
});

Deno.test("many readers at once all tell that a VM is paused", async () => {
  await using home = await nest();
  await home.spawn("x");
  await home.call("vm.pause", { name: "x" });
  const rows = (await Promise.all(range(40).map(() => home.list()))).flat();
  assert.deepEqual(
    rows.map(({ state, problems }: Row) => [state, problems]),
    rows.map(() => ["paused", []]),
  );
});

Deno.test("a QEMU that hangs does not hang list, and stop --force ends it", async () => {
  await using home = await nest();
  await home.spawn("x");
  const pid = await home.pid("x");
  Deno.kill(pid, "SIGSTOP");
  for (let round = 0; round < 3; round++) {
    const row = await home.row("x");
    assert.equal(row?.state, "running");
    assert.match(row!.problems.join(), /^its monitor does not answer: /);
  }
  const since = performance.now();
  await home.call("vm.stop", { name: "x", force: true });
  assert.ok(performance.now() - since < 15_000, "it took too long");
  await eventually("it is gone", async () => !await lives(pid));
  assert.equal((await home.row("x"))?.state, "stopped");
});
