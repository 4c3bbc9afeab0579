import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../../lib/context.ts";
import { readQcow2 } from "../../../lib/image/qcow2.ts";
import { emptyOverlay } from "../../../lib/qemu/overlay.ts";
import { createSnapshot } from "../../../lib/snapshot/create.ts";
import { files } from "../../../lib/store/files.ts";
import { countPast } from "../../helpers/counter.ts";
import { nest, refuses } from "../../helpers/nest.ts";
import { counting, create, list, restore } from "./counting.ts";

Deno.test("what may not be: labels, broken VMs, snapshots that are not there", async () => {
  await using home = await counting();
  await home.spawn("a", { wait: "none" });
  const rule =
    "a snapshot's label is 1 to 63 of a-z 0-9 . _ -, with a letter or a digit at either end";
  for (const label of ["../x", "", ".", "..", "a/b", "A", "-x", "x".repeat(64)]) {
    const told = (key: string) => `${key}: ${rule}`;
    await refuses(
      create(home, label),
      "invalid_input",
      `Cannot run snapshot.create: ${told("label")}`,
    );
    await refuses(
      restore(home, label),
      "invalid_input",
      `Cannot run snapshot.restore: ${told("label")}`,
    );
    await refuses(
      home.call("snapshot.delete", { name: "a", labels: [label] }),
      "invalid_input",
      `Cannot run snapshot.delete: ${told("labels.0")}`,
    );
  }
  await create(home, "before");
  const { hint } = await refuses(
    create(home, "before"),
    "already_exists",
    'Cannot snapshot VM "a": it has a snapshot "before" already',
  );
  assert.equal(hint, "nido snapshot delete a before");
  const none = 'VM "a" has no snapshot "befor"; the nearest is "before"';
  await refuses(restore(home, "befor"), "not_found", none);
  await refuses(
    home.call("snapshot.delete", { name: "a", labels: ["before", "befor"] }),
    "not_found",
    none,
  );
  assert.deepEqual((await list(home)).map(({ label }) => label), ["before"]);
  await refuses(
    home.call("snapshot.list", { name: "b" }),
    "not_found",
    'No VM "b"; the nearest is "a"',
  );

  await Deno.writeTextFile(home.at("a", "record"), "{");
  const broken = `VM "a" is broken: Cannot read ${home.at("a", "record")}: it is not JSON`;
  await refuses(create(home), "integrity", broken);
  await refuses(restore(home, "before"), "integrity", broken);
  await refuses(
    home.call("snapshot.delete", { name: "a", labels: ["before"] }),
    "integrity",
    broken,
  );
  assert.deepEqual((await list(home)).map(({ label, current }) => [label, current]), [
    ["before", false],
  ]);
});

Deno.test("two snapshots at once are two; of one label, one", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  await countPast(home, "a", 3);
  const [one, two] = await Promise.all([1, 2].map(() => home.nido(["snapshot", "create", "a"])));
  assert.deepEqual([one!.code, two!.code], [0, 0], one!.stderr + two!.stderr);
  const both = await Promise.all(
    [1, 2].map(() => home.nido(["snapshot", "create", "a", "same", "--json"])),
  );
  const codes = both.map(({ code }) => code).sort();
  assert.deepEqual([codes[0], codes[1] !== 0], [0, true]);
  assert.match(both.map(({ stdout }) => stdout).join(), /it has a snapshot \\"same\\" already/);
  assert.deepEqual(
    (await list(home)).map(({ label, parent }) => [label, parent]),
    [["s1", undefined], ["s2", "s1"], ["same", "s2"]],
  );
  for (const label of ["s1", "s2", "same"]) await restore(home, label);
});

Deno.test("a disk of too many layers would not start, and so gets no more", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count", wait: "none" });
  const [record, disk] = [home.at("a", "record"), home.at("a", "disk")];
  let { backingFile: below, virtualSizeBytes } = await readQcow2(disk);
  for (let layers = 2; layers < 63; layers++) {
    const layer = files.layer(home.home, `by-hand-${layers}`);
    await Deno.writeFile(layer, emptyOverlay(below!, virtualSizeBytes));
    below = layer;
  }
  await Deno.writeFile(disk, emptyOverlay(below!, virtualSizeBytes));
  await create(home);
  assert.notEqual(JSON.parse(await Deno.readTextFile(record)).disk, "disk.qcow2");
  const fact = "its disk stands on 63 layers, and with one more it would not start";
  await refuses(create(home), "exhausted", `Cannot freeze VM "a": ${fact}`);
  await home.call("vm.start", { name: "a", wait: "running" });
  const more = {
    "vm.fork": { name: "a" },
    "template.create": { vm: "a", name: "t", keepIdentity: true },
  };
  for (const [name, input] of Object.entries(more)) {
    await refuses(home.call(name, input), "exhausted", `Cannot freeze VM "a": ${fact}`);
  }
  await home.call("vm.stop", { name: "a", force: true });
  await home.call("template.create", { vm: "a", name: "a-flat", keepIdentity: true });
  await home.call("vm.start", { name: "a", wait: "running" });
  await countPast(home, "a", 0);
});

Deno.test("a home can be reached by another path when a VM is frozen again", async () => {
  await using home = await nest();
  await home.spawn("a");
  const link = join(home.folder, "link");
  await Deno.symlink(home.home, link);
  const byLink = makeContext(link);
  await createSnapshot(home.context, { name: "a" });
  await createSnapshot(byLink, { name: "a" });
  await createSnapshot(home.context, { name: "a" });
  const { snapshots } = await home.call<{ snapshots: { label: string }[] }>("snapshot.list", {
    name: "a",
  });
  assert.deepEqual(snapshots.map(({ label }) => label), ["s1", "s2", "s3"]);
  assert.equal((await home.row("a"))?.state, "running");
});
