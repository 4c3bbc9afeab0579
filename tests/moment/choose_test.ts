import assert from "node:assert/strict";
import { join } from "node:path";
import { setSetting } from "../../lib/config/set.ts";
import type { Context } from "../../lib/context.ts";
import { chooseMoment } from "../../lib/moment/choose.ts";
import { freeMemory, listMoments } from "../../lib/moment/moment.ts";
import { momentFiles } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import type { VmRecord } from "../../lib/vm/vm.ts";
import { fixture } from "../image/fixture.ts";
import { base, placeMoment, record } from "./fixture.ts";

const NEVER_WARM =
  'image "debian" is not warm yet, and only a spawn that waits until ready makes it so';

/** What a spawn that does not wait chooses. */
async function chosen(context: Context, differs: Partial<VmRecord> = {}) {
  const { rung, reason, moment } = await chooseMoment(context, {
    base,
    record: { ...record, ...differs },
    mayIncubate: false,
    timeoutSeconds: 1,
  });
  return { rung, reason, id: moment?.id };
}

const cold = (reason: string) => ({ rung: "cold", reason, id: undefined });

Deno.test("a VM wakes from the moment that fits, and says from which", async () => {
  await using at = await fixture();
  assert.deepEqual(await chosen(at.context), cold(NEVER_WARM));
  await placeMoment(at.context, "fits");
  assert.deepEqual(await chosen(at.context), {
    rung: "warm",
    reason: 'it woke from the memory of image "debian", frozen 2026-01-02T00:00:00.000Z',
    id: "fits",
  });
});

Deno.test("the setting warm decides whether memory is shared, read in full or not used", async () => {
  await using at = await fixture();
  await placeMoment(at.context, "shared");
  await setSetting(at.context, "warm", "off");
  assert.deepEqual(await chosen(at.context), cold("the setting warm is off"));
  await setSetting(at.context, "warm", "stream");
  assert.deepEqual(await chosen(at.context), cold(NEVER_WARM));
});

Deno.test("memory of another QEMU, accelerator, firmware, user or base is not used", async () => {
  const others = [
    { qemu: "9.9.9 /usr/bin/qemu-system-x86_64" },
    { machineType: "pc-q35-9.9" },
    { accelerator: "kvm", cpuModel: "host" },
    { firmware: "OVMF" },
    { devices: "another list" },
    { user: "root" },
    { key: "another home's" },
    { reader: "another program" },
    { base: "sha256:cd" },
  ];
  for (const differs of others) {
    await using at = await fixture();
    await placeMoment(at.context, "other", differs);
    assert.deepEqual(await chosen(at.context), cold(NEVER_WARM), JSON.stringify(differs));
  }
});

Deno.test("another size boots, and the reason names both sizes and what to type", async () => {
  await using at = await fixture();
  await placeMoment(at.context, "two-cpus");
  assert.deepEqual(
    await chosen(at.context, { cpus: 4, memoryMib: 2048 }),
    cold(
      'image "debian" is warm for 2 CPUs and 512 MiB, not for 4 CPUs and 2048 MiB; ' +
        "nido image warm debian --cpus 4 --memory 2048M makes it so",
    ),
  );
});

const DAMAGES: [what: string, file: "ram" | "state", how: (path: string) => Promise<void>][] = [
  ["its memory file has 10 bytes instead of 8192", "ram", (path) => Deno.truncate(path, 10)],
  ["its memory file was written to", "ram", (path) => Deno.utime(path, new Date(), new Date())],
  ["its memory is missing", "ram", (path) => Deno.remove(path)],
  ["its state file was changed", "state", (path) => Deno.writeTextFile(path, "the stAte of bad")],
];

for (const [fact, file, spoil] of DAMAGES) {
  Deno.test(`spoilt memory is set aside for good: ${fact}`, async () => {
    await using at = await fixture();
    const folder = await placeMoment(at.context, "bad");
    await spoil(join(folder, momentFiles[file]));
    const reason = `its warm state failed: ${fact}; nido image warm debian makes a new one`;
    assert.deepEqual(await chosen(at.context), cold(reason));
    assert.deepEqual(await namesIn(folder), [momentFiles.disk, momentFiles.record]);
    assert.deepEqual(await chosen(at.context), cold(reason));

    await placeMoment(at.context, "good");
    assert.equal((await chosen(at.context)).id, "good");
  });
}

Deno.test("memory that was freed for others is no failure: the base is warmed again", async () => {
  await using at = await fixture();
  await placeMoment(at.context, "freed");
  const [moment] = await listMoments(at.home);
  await freeMemory(moment!, { freedAt: new Date().toISOString() });
  assert.deepEqual(await chosen(at.context), cold(NEVER_WARM));
});

Deno.test("a moment whose record can't be read is passed over", async () => {
  await using at = await fixture();
  const folder = await placeMoment(at.context, "broken");
  await Deno.writeTextFile(join(folder, momentFiles.record), "{");
  assert.deepEqual(await chosen(at.context), cold(NEVER_WARM));
});
