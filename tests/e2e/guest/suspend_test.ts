import assert from "node:assert/strict";
import { run } from "../../../lib/host/process.ts";
import { Nest } from "../../helpers/guest.ts";
import {
  CONNECTION_ENDED,
  COUNT,
  START_COUNTING,
  startConnection,
} from "../../helpers/guest_scripts.ts";
import { machineLines } from "../../helpers/machines.ts";

const PAST_SECONDS = 5;

Deno.test("a VM sleeps on the disk and goes on where it was", async (t) => {
  await using nest = await Nest.shared("nap");
  const shell = (script: string) => nest.ok(["exec", "nap", "--", "sh", "-c", script]);
  const at = (file: string) => `${nest.home}/vms/nap/${file}`;
  const state = async () => (await nest.data(["info", "nap"])).state;
  const count = async () => (await shell(COUNT)).split(" ").map(Number) as [number, number];
  let asleep: [pid: number, count: number];
  using outside = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  const fallAsleep = async () => {
    asleep = await count();
    const { memoryBytes, problems } = await nest.data(["suspend", "nap"]);
    assert.deepEqual(problems, []);
    assert.equal((await Deno.stat(at("suspended/state"))).size, memoryBytes);
    assert.equal(await state(), "suspended");
    assert.deepEqual(machineLines(`${nest.home}/vms/nap/`), []);
    await run("qemu-img", ["check", "-q", "-f", "qcow2", at("disk.qcow2")]);
  };
  const countsOn = async () => {
    const [pid, counted] = await count();
    assert.equal(pid, asleep[0]);
    assert.ok(counted >= asleep[1], `${counted} after ${asleep[1]}`);
    assert.ok((await count())[1] >= counted);
    await assert.rejects(Deno.stat(at("suspended")), Deno.errors.NotFound);
  };

  await t.step("asleep it takes no memory, and no prune", async () => {
    await nest.hatch("nap", "--label", "test=nap");
    await shell(START_COUNTING);
    await shell(startConnection((outside.addr as Deno.NetAddr).port));
    await fallAsleep();
    const { deleted } = await nest.data(["prune", "--crashed", "--label", "test=nap"]);
    assert.deepEqual(deleted, []);
    const { code, message, hint } = await nest.error(["exec", "nap", "--", "true"]);
    assert.deepEqual([code, message, hint], [
      "wrong_state",
      'Cannot run a command in VM "nap": it is suspended',
      "nido resume nap",
    ]);
  });

  await t.step(
    "after a restart of the host, when its pid is another program's, it wakes",
    async () => {
      await Deno.writeTextFile(at("qemu.pid"), `${Deno.pid}\n`);
      assert.equal(await state(), "suspended");
      await new Promise((resolve) => setTimeout(resolve, PAST_SECONDS * 1000));
      await nest.ok(["resume", "nap"]);
      const before = Date.now() / 1000;
      const time = Number(await shell("date +%s.%N"));
      const after = Date.now() / 1000;
      assert.ok(time > before - 1 && time < after + 1, `${time}, between ${before} and ${after}`);
      await countsOn();
    },
  );

  await t.step("its connection to the outside fails at once, and new ones work", async () => {
    assert.equal(await shell(CONNECTION_ENDED), "failed: ConnectionAbortedError\n");
    await shell(`rm ~/state/connection; ${startConnection((outside.addr as Deno.NetAddr).port)}`);
    assert.equal(await shell("cat ~/state/connection"), "open\n");
  });

  await t.step("start wakes it as well", async () => {
    await fallAsleep();
    const { woke, state, problems } = await nest.data(["start", "nap"]);
    assert.deepEqual([woke, state, problems], [true, "running", []]);
    await countsOn();
  });

  await t.step("memory that is damaged is told, and its disk boots without it", async () => {
    await fallAsleep();
    const { size } = await Deno.stat(at("suspended/state"));
    await Deno.truncate(at("suspended/state"), size >> 1);
    for (const verb of ["resume", "start"]) {
      const { code, message, hint } = await nest.error([verb, "nap"]);
      assert.deepEqual([code, hint], [
        "integrity",
        "nido start nap --disk-only boots it from its disk",
      ]);
      assert.match(message, /^Cannot wake VM "nap" from its memory: .*QEMU ended at once: /);
      assert.equal(await state(), "suspended");
      assert.deepEqual(machineLines(`${nest.home}/vms/nap/`), []);
    }
    const { woke } = await nest.data(["start", "nap", "--disk-only", "--wait", "running"]);
    assert.deepEqual([woke, await state()], [false, "running"]);
    await assert.rejects(Deno.stat(at("suspended")), Deno.errors.NotFound);
  });
});
