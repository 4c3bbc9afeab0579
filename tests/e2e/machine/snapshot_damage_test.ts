import assert from "node:assert/strict";
import { countOf, countPast } from "../../helpers/counter.ts";
import { refuses } from "../../helpers/nest.ts";
import { at, counting, create, layerOf, list, restore, sleepOn, stateOf } from "./counting.ts";

Deno.test("memory that QEMU can't load: the VM is suspended, and boots from the disk", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  const before = await countPast(home, "a", 3);
  await create(home);
  await sleepOn(home, "s1");
  assert.deepEqual(await countOf(home, "a"), before);
  assert.equal((await restore(home, "s1", true)).state, "running");
  assert.equal((await countPast(home, "a", 0, 2)).boots, 2);
});

Deno.test("a damaged snapshot ends nothing and says how to go on", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  await countPast(home, "a", 3);
  await create(home);
  await create(home, "other");
  await home.call("vm.resume", { name: "a" });
  const pid = await home.pid("a");
  const whole = await Deno.readFile(at(home, "s1", "state"));
  const flipped = whole.slice();
  flipped[whole.length >> 1]! ^= 1;
  const damages: [Uint8Array<ArrayBuffer> | undefined, string][] = [
    [whole.slice(0, -1), `its memory has ${whole.length - 1} bytes instead of ${whole.length}`],
    [flipped, "its memory was changed since"],
    [undefined, "its memory is missing"],
  ];
  for (const [state, fact] of damages) {
    if (state) await Deno.writeFile(at(home, "s1", "state"), state);
    else await Deno.remove(at(home, "s1", "state"));
    const { hint } = await refuses(
      restore(home, "s1"),
      "integrity",
      `Cannot restore snapshot "s1" of VM "a": ${fact}`,
    );
    assert.equal(hint, "nido snapshot restore a s1 --disk-only");
    assert.equal(await home.pid("a"), pid);
    assert.equal(await stateOf(home), "running");
    const listed = (await list(home)).find(({ label }) => label === "s1")!;
    if (state !== flipped) assert.deepEqual([listed.state, listed.problems], ["broken", [fact]]);
  }
  assert.equal((await restore(home, "s1", true)).state, "running");
  await Deno.writeFile(at(home, "s1", "state"), whole);
  assert.equal((await list(home)).find(({ label }) => label === "s1")!.state, "ready");

  await Deno.remove(await layerOf(home, "other"));
  const lost = await restore(home, "other").catch((error) => error);
  assert.equal(lost.code, "integrity");
  assert.match(
    lost.message,
    /^Cannot restore snapshot "other" of VM "a": a layer of its disk can't be read: /,
  );
  assert.equal(lost.hint, "nido snapshot list a");
  assert.equal(await stateOf(home), "running");
  assert.deepEqual((await list(home)).map(({ label, state }) => [label, state]), [
    ["s1", "ready"],
    ["other", "broken"],
  ]);
  await Deno.writeTextFile(at(home, "other", "record"), "{");
  assert.deepEqual((await list(home)).map(({ label, state }) => [label, state]), [
    ["other", "broken"],
    ["s1", "ready"],
  ]);
  await home.call("snapshot.delete", { name: "a", labels: ["other"] });
  await restore(home, "s1");
});
