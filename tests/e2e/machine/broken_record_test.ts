import assert from "node:assert/strict";
import { eventually, lives, type Nest, nest, refuses } from "../../helpers/nest.ts";

const DAMAGES: Record<string, { damage: (text: string) => string | undefined; reason: RegExp }> = {
  "cut in the middle": {
    damage: (text) => text.slice(0, text.length / 2),
    reason: /^Cannot read .*vm\.json: it is not JSON$/,
  },
  "empty": { damage: () => "", reason: /^Cannot read .*vm\.json: it is not JSON$/ },
  "of another version": {
    damage: (text) => text.replace('"schemaVersion": 1', '"schemaVersion": 2'),
    reason: /^Cannot read .*vm\.json: its schemaVersion is 2, this Nido knows 1$/,
  },
  "without a version": {
    damage: (text) => text.replace('"schemaVersion": 1,', ""),
    reason: /^Cannot read .*vm\.json: schemaVersion: /,
  },
  "missing": { damage: () => undefined, reason: /^its vm\.json is missing$/ },
  "with a field that nobody knows": {
    damage: (text) => text.replace("{", '{ "colour": "red",'),
    reason: /^Cannot read .*vm\.json: it: Unrecognized key: "colour"$/,
  },
  "null": { damage: () => "null", reason: /^Cannot read .*vm\.json: it: / },
};

async function damageRecord(home: Nest, damage: (text: string) => string | undefined) {
  const path = home.at("x", "record");
  const text = damage(await Deno.readTextFile(path));
  if (text === undefined) await Deno.remove(path);
  else await Deno.writeTextFile(path, text);
}

for (const [title, { damage, reason }] of Object.entries(DAMAGES)) {
  Deno.test(`a VM whose record is ${title} is broken, and only that one`, async () => {
    await using home = await nest();
    await home.spawn("well");
    await home.spawn("x", { wait: "none" });
    await damageRecord(home, damage);

    const row = await home.row("x");
    assert.equal(row?.state, "broken");
    assert.match(row!.problems.join("; "), reason);
    assert.equal((await home.row("well"))?.state, "running");
    await refuses(
      home.call("vm.start", { name: "x" }),
      "integrity",
      `VM "x" is broken: ${row!.problems.join("; ")}`,
    );
    await home.call("vm.info", { name: "x" });
    await home.call("vm.delete", { names: ["x"] });
    assert.deepEqual((await home.list()).map(({ name }) => name), ["well"]);
    await home.call("vm.delete", { names: ["well"], force: true });
    await home.assertEmpty();
  });
}

Deno.test("a broken VM whose QEMU still runs is deleted with force, sockets and all", async () => {
  await using home = await nest();
  await home.spawn("x");
  await damageRecord(home, () => "");
  const pid = await home.pid("x");
  assert.equal((await home.row("x"))?.state, "broken");
  const error = await refuses(
    home.call("vm.delete", { names: ["x"] }),
    "wrong_state",
    'Cannot delete VM "x": it is broken, and its QEMU still runs',
  );
  assert.equal(error.hint, "nido delete x --force");
  assert.ok(await lives(pid));
  await home.call("vm.delete", { names: ["x"], force: true });
  await eventually("its QEMU is gone", async () => !await lives(pid));
  await home.assertEmpty();
});

Deno.test("a stray file among the VMs hides nothing", async () => {
  await using home = await nest();
  await home.spawn("x", { wait: "none" });
  await Deno.writeTextFile(`${home.home}/vms/notes.txt`, "mine");
  await Deno.writeTextFile(`${home.home}/vms/file`, "mine");
  assert.equal((await home.row("x"))?.state, "stopped");
  await home.nido(["list"]).then(({ code }) => assert.equal(code, 0));
});
