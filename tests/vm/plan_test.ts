import assert from "node:assert/strict";
import { makePlan, spawnInput } from "../../lib/vm/plan.ts";
import spawn from "../../lib/vm/spawn.ts";
import { fails } from "../image/fixture.ts";
import { writeRecord } from "../../lib/store/record.ts";
import { files } from "../../lib/store/files.ts";
import { withTemplate } from "../template/fixture.ts";

Deno.test("a name and a template can be given by position", () => {
  assert.deepEqual(spawn.positional, ["name", "template"]);
});

Deno.test("an image and a template together are refused", async () => {
  await using at = await withTemplate();
  await fails(
    makePlan(at.context, spawnInput.parse({ template: "web", image: "debian" })),
    "invalid_input",
    "Cannot spawn: both an image and a template are named, and a VM is made from one",
    "nido spawn --template web",
  );
});

Deno.test("a template that isn't there is refused with the nearest", async () => {
  await using at = await withTemplate();
  await fails(
    makePlan(at.context, spawnInput.parse({ template: "wep" })),
    "not_found",
    'No template "wep"; the nearest is "web"',
    "nido templates",
  );
});

Deno.test("what a template knows is the default, before the settings", async () => {
  await using at = await withTemplate();
  const settings = { image: "debian", cpus: 7, memoryMib: 300, user: "other", diskGib: 5 };
  await writeRecord(files.config(at.home), { schemaVersion: 1, ...settings, network: "none" });
  const { base, record, diskBytes } = await makePlan(
    at.context,
    spawnInput.parse({ template: "web" }),
  );
  assert.deepEqual([base.kind, base.diskPath], ["template", at.template.diskPath]);
  assert.equal(diskBytes, at.template.diskSizeBytes);
  assert.deepEqual(record.template, { name: "web", digest: at.template.digest });
  assert.deepEqual(record.image, at.template.source.image);
  const { cpus, memoryMib, user, network, machineType, ports } = record;
  assert.deepEqual([cpus, memoryMib, user, network], [2, 512, "nido", "full"]);
  assert.equal(machineType, "pc-q35-7.2");
  assert.deepEqual(ports.map(({ label, guest, host }) => [label, guest, host]), [
    ["ssh", 22, 0],
    ["web", 80, 0],
  ]);
});

Deno.test("what the caller says counts more than the template", async () => {
  await using at = await withTemplate();
  const said = { cpus: 1, memoryMib: 256, user: "me", network: "none", ports: ["81"], diskGib: 1 };
  const { record, diskBytes } = await makePlan(
    at.context,
    spawnInput.parse({ template: "web", ...said }),
  );
  const { cpus, memoryMib, user, network, ports } = record;
  assert.deepEqual([cpus, memoryMib, user, network], [1, 256, "me", "none"]);
  assert.deepEqual(ports.map(({ guest }) => guest), [22, 81]);
  assert.equal(diskBytes, 2 ** 30);
});

Deno.test("a disk smaller than the template's is refused", async () => {
  await using at = await withTemplate();
  await fails(
    makePlan(at.context, { ...spawnInput.parse({ template: "web" }), diskGib: 0.0005 }),
    "invalid_input",
    'Cannot spawn with a disk of 0.0005 GiB: template "web" is 0.01 GiB, and a disk never shrinks',
    "nido spawn --disk 1G, or leave --disk out",
  );
});
