import assert from "node:assert/strict";
import { type Context, makeContext, type Progress } from "../../lib/context.ts";
import { vmFiles } from "../../lib/store/files.ts";
import { BootProgress } from "../../lib/vm/boot_progress.ts";
import { BootWatch } from "../../lib/vm/boot_watch.ts";
import type { SoundVm } from "../../lib/vm/vm.ts";
import { withHome } from "../helpers/command.ts";

const KERNEL = "[    0.000000] Linux version 6.1.0-56-cloud-amd64\r\n";
const NETWORK = "[  OK  ] Reached target network.target - Network.\r\n";
const SSH = "[  OK  ] Started ssh.service - OpenBSD Secure Shell server.\r\n";
const NEVER = { firstMs: 60_000, everyMs: 60_000 };

/** A VM of which there is only a folder: its console is written by the test. */
async function withGuest(
  use: (guest: {
    told: Progress[];
    progress: BootProgress;
    look: () => Promise<string>;
    says: (text: string) => Promise<void>;
    starts: (secondsAgo: number) => Promise<void>;
  }) => Promise<void>,
  pace = NEVER,
) {
  await withHome(async (home) => {
    const told: Progress[] = [];
    const context: Context = makeContext(home, { report: (progress) => told.push(progress) });
    const vm = { name: "web", folder: home, record: { id: crypto.randomUUID() } } as SoundVm;
    using progress = new BootProgress(context, '"web"', pace);
    const watch = new BootWatch(context, vm, progress);
    await use({
      told,
      progress,
      async look() {
        await watch.look();
        return progress.stage;
      },
      says: (text) => Deno.writeTextFile(`${home}/${vmFiles.consoleLog}`, text, { append: true }),
      async starts(secondsAgo) {
        const at = Date.now() / 1000 - secondsAgo;
        await Deno.writeTextFile(`${home}/${vmFiles.pid}`, "1\n");
        await Deno.utime(`${home}/${vmFiles.pid}`, at, at);
      },
    });
  });
}

Deno.test("each stage is told once, when the console shows it", async () => {
  await withGuest(async ({ told, look, says, starts }) => {
    await starts(10);
    assert.equal(await look(), "firmware");
    await says(KERNEL.slice(0, 20));
    assert.equal(await look(), "firmware");
    await says(KERNEL.slice(20));
    assert.equal(await look(), "kernel");
    await says("nothing new\n");
    assert.equal(await look(), "kernel");
    await says(NETWORK + SSH + NETWORK);
    assert.equal(await look(), "ssh");
    assert.deepEqual(told, [
      { stage: "kernel", message: '"web": kernel is starting (0 s)' },
      { stage: "ssh", message: '"web": SSH is coming up (0 s)' },
    ]);
  });
});

Deno.test("what an earlier boot said is not taken for this one's", async () => {
  await withGuest(async ({ look, says, starts }) => {
    await says(KERNEL + NETWORK + SSH);
    await starts(-10);
    assert.equal(await look(), "firmware");
    await says(KERNEL);
    assert.equal(await look(), "kernel");
  });
  await withGuest(async ({ look, says, starts }) => {
    await says(KERNEL + NETWORK + SSH);
    await starts(10);
    assert.equal(await look(), "ssh", "this boot's own lines are read from the start");
  });
});

Deno.test("a reboot is told as such, and what others knew of the last boot goes back too", async () => {
  await withGuest(async ({ told, progress, look, says, starts }) => {
    await starts(10);
    await says(KERNEL + NETWORK);
    await look();
    progress.reach("cloud-init");
    progress.reach("ssh");
    assert.equal(progress.stage, "cloud-init");
    await says(KERNEL);
    assert.equal(await look(), "kernel");
    const stages = told.map(({ stage }) => stage);
    assert.deepEqual(stages, ["network", "cloud-init", "firmware", "kernel"]);
  });
});

Deno.test("a stage that lasts is told again and again", async () => {
  await withGuest(async ({ told }) => {
    while (told.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(new Set(told.map(({ stage }) => stage)), new Set(["firmware"]));
    assert.match(told[2]!.message, /^"web": firmware is starting \(\d+ s\)$/);
  }, { firstMs: 1, everyMs: 10 });
});
