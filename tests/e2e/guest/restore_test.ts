import assert from "node:assert/strict";
import { Nest } from "../../helpers/guest.ts";
import {
  CONNECTION_ENDED,
  COUNT,
  START_COUNTING,
  startConnection,
} from "../../helpers/guest_scripts.ts";

Deno.test("a VM goes back to a snapshot, and knows what time it is", async (t) => {
  await using nest = await Nest.shared("back");
  const shell = (script: string) => nest.ok(["exec", "back", "--", "sh", "-c", script]);
  const snapshot = async (...words: string[]) =>
    JSON.parse(await nest.ok(["snapshot", ...words, "--json"])).data;
  using outside = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let counted: number[];

  await t.step("what came after the snapshot is gone, its programs go on", async () => {
    await nest.hatch("back");
    await shell(START_COUNTING);
    await shell(startConnection((outside.addr as Deno.NetAddr).port));
    counted = (await shell(COUNT)).split(" ").map(Number);
    const { problems, stillMs } = await snapshot("create", "back", "good");
    assert.deepEqual(problems, []);
    assert.ok(stillMs > 0);
    await shell(`echo spoilt >~/later; sudo rm /etc/hostname; kill ${counted[0]}`);

    assert.deepEqual((await snapshot("restore", "back", "good")).problems, []);
    const [pid, count] = (await shell(COUNT)).split(" ").map(Number);
    assert.equal(pid, counted[0]);
    assert.ok(count! >= counted[1]!);
    assert.equal(await shell("ls ~/later 2>/dev/null; cat /etc/hostname"), "back\n");
  });

  await t.step("its clock is right, and its old connection fails at once", async () => {
    const before = Date.now() / 1000;
    const time = Number(await shell("date +%s.%N"));
    const after = Date.now() / 1000;
    assert.ok(time > before - 1 && time < after + 1, `${time}, between ${before} and ${after}`);
    assert.equal(await shell(CONNECTION_ENDED), "failed: ConnectionAbortedError\n");
  });

  await t.step("it is a VM as before: it can be frozen, stopped and booted", async () => {
    await nest.ok(["snapshot", "create", "back", "again"]);
    await nest.ok(["snapshot", "restore", "back", "good", "--disk-only"]);
    assert.equal((await nest.data(["info", "back"])).state, "running");
  });
});
