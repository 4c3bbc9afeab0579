import assert from "node:assert/strict";
import { files } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { countOf, countPast } from "../../helpers/counter.ts";
import { refuses } from "../../helpers/nest.ts";
import { counting, create, list, restore, sleepOn, stateOf } from "./counting.ts";

Deno.test("a deleted snapshot takes only what nothing else stands on", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  const counted: Record<string, { count: number; boots: number }> = {};
  for (const label of ["s1", "s2", "s3"]) {
    counted[label] = await countPast(home, "a", 0);
    await create(home, label);
    await home.call("vm.resume", { name: "a" });
  }
  await restore(home, "s2");
  await home.call("snapshot.delete", { name: "a", labels: ["s1"] });
  assert.deepEqual(
    (await list(home)).map(({ label, parent, current }) => [label, parent, current]),
    [["s2", undefined, true], ["s3", "s2", false]],
  );
  assert.equal((await namesIn(files.layers(home.home))).length, 3, "s1's layer is below s2's");
  for (const label of ["s3", "s2"]) {
    await restore(home, label);
    assert.deepEqual(await countOf(home, "a"), counted[label]);
  }
  await home.call("snapshot.delete", { name: "a", labels: ["s3", "s2", "s3"] });
  assert.deepEqual(await list(home), []);
  assert.equal((await namesIn(files.layers(home.home))).length, 2, "the VM stands on two");
  await home.call("vm.resume", { name: "a" });
  await countPast(home, "a", counted["s2"]!.count);
});

Deno.test("the snapshot that a suspended VM wakes from stays", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  await countPast(home, "a", 3);
  await create(home, "other");
  await create(home, "mine");
  await sleepOn(home, "mine");
  const { hint } = await refuses(
    home.call("snapshot.delete", { name: "a", labels: ["other", "mine"] }),
    "in_use",
    'Cannot delete snapshot "mine" of VM "a": the VM is suspended, and wakes from it',
  );
  assert.equal(hint, "nido resume a");
  assert.equal((await list(home)).length, 2, "none of them is gone");
  await home.call("vm.resume", { name: "a" });
  await home.call("snapshot.delete", { name: "a", labels: ["other", "mine"] });
  assert.equal(await stateOf(home), "running");
});
