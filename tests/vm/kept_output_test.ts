import assert from "node:assert/strict";
import { join } from "node:path";
import { type Context, makeContext } from "../../lib/context.ts";
import { diskSpace } from "../../lib/host/disk_space.ts";
import { KeptOutput, type OutputLimits } from "../../lib/vm/kept_output.ts";

const NOW = new Date("2026-02-03T04:05:06.007Z");

/** Lends a home with the folder of a VM "dev" in it. */
async function withVmFolder(use: (context: Context, outputs: string) => Promise<void>) {
  const home = await Deno.makeTempDir({ prefix: "nido-output-" });
  try {
    await Deno.mkdir(join(home, "vms", "dev"), { recursive: true });
    await use(makeContext(home, { now: () => NOW }), join(home, "vms", "dev", "outputs"));
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

async function keep(context: Context, chunks: string[], limits: OutputLimits, id = "00000000") {
  const output = new KeptOutput(context, "dev", id, "stdout", limits);
  for (const chunk of chunks) await output.add(new TextEncoder().encode(chunk));
  return await output.finish();
}

async function namesIn(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  return names.sort();
}

Deno.test("output within the limit makes no file", async () => {
  await withVmFolder(async (context, outputs) => {
    assert.deepEqual(await keep(context, ["0123", "456789"], { keptBytes: 10 }), {
      text: "0123456789",
      bytes: 10,
      truncated: false,
      file: undefined,
      note: undefined,
    });
    await assert.rejects(Deno.stat(outputs), Deno.errors.NotFound);
  });
});

Deno.test("longer output is whole in a file that only this user reads", async () => {
  await withVmFolder(async (context, outputs) => {
    const file = join(outputs, "20260203T040506.007Z-00000000.stdout");
    assert.deepEqual(await keep(context, ["0123", "456789", "a", "bcdef"], { keptBytes: 10 }), {
      text: "01234\n[... 6 bytes left out ...]\nbcdef",
      bytes: 16,
      truncated: true,
      file,
      note: undefined,
    });
    assert.equal(await Deno.readTextFile(file), "0123456789abcdef");
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    assert.equal((await Deno.stat(outputs)).mode! & 0o777, 0o700);
  });
});

Deno.test("chunks that come while one is written are not mixed up", async () => {
  await withVmFolder(async (context) => {
    const output = new KeptOutput(context, "dev", "00000000", "stdout", { keptBytes: 16 });
    const parts = Array.from({ length: 300 }, (_, index) => `${index} `.repeat(index % 50));
    await Promise.all(parts.map((part) => output.add(new TextEncoder().encode(part))));
    const { file } = await output.finish();
    assert.equal(await Deno.readTextFile(file!), parts.join(""));
  });
});

Deno.test("a file stops at its limit, and the result says so", async () => {
  await withVmFolder(async (context) => {
    const limits = { keptBytes: 4, fileBytes: 1024 };
    const kept = await keep(context, ["x".repeat(1000), "y".repeat(1000), "end"], limits);
    assert.equal(kept.note, "stdout is not kept whole: a file has 1 KiB at most");
    assert.equal(await Deno.readTextFile(kept.file!), "x".repeat(1000) + "y".repeat(24));
    assert.deepEqual([kept.bytes, kept.text], [2003, "xx\n[... 1999 bytes left out ...]\nnd"]);
    const long = await keep(context, ["x".repeat(2000), "y"], { ...limits, keptBytes: 1999 }, "1");
    assert.equal((await Deno.stat(long.file!)).size, 1024);
  });
});

Deno.test("a disk with little space gets no file, and the result says so", async () => {
  await withVmFolder(async (context, outputs) => {
    const { freeBytes } = (await diskSpace(context.home))!;
    const kept = await keep(context, ["0123456789"], { keptBytes: 4, freeBytes: freeBytes * 2 });
    assert.match(kept.note!, /^stdout is not kept whole: less than .+ of disk space is free$/);
    assert.deepEqual([kept.file, kept.text], [undefined, "01\n[... 6 bytes left out ...]\n89"]);
    await assert.rejects(Deno.stat(outputs), Deno.errors.NotFound);
  });
});

Deno.test("the disk is looked at again as the file grows", async () => {
  await withVmFolder(async (context) => {
    const half = (await diskSpace(context.home))!.freeBytes / 2;
    const limits = { keptBytes: 4, freeBytes: half, lookEveryBytes: 100 };
    const output = new KeptOutput(context, "dev", "00000000", "stdout", limits);
    await output.add(new Uint8Array(150));
    // stands for a chunk that the disk has no room for: what comes counts as used already
    const huge = { length: half * 2, subarray: () => new Uint8Array(0) } as unknown as Uint8Array;
    await output.add(huge);
    const { note, file } = await output.finish();
    assert.match(note!, /^stdout is not kept whole: less than .+ of disk space is free$/);
    assert.equal((await Deno.stat(file!)).size, 150);
  });
});

Deno.test("the newest ten files of a VM stay", async () => {
  await withVmFolder(async (context, outputs) => {
    for (let second = 0; second < 12; second++) {
      const at = new Date(NOW.getTime() + second * 1000);
      await keep({ ...context, now: () => at }, ["long"], { keptBytes: 2 });
    }
    const names = await namesIn(outputs);
    assert.equal(names.length, 10);
    assert.equal(names[0], "20260203T040508.007Z-00000000.stdout");
    assert.equal(names[9], "20260203T040517.007Z-00000000.stdout");
  });
});

Deno.test("a file that went away meanwhile, and a VM that did, are told", async () => {
  await withVmFolder(async (context) => {
    const output = new KeptOutput(context, "dev", "00000000", "stdout", { keptBytes: 2 });
    await output.add(new TextEncoder().encode("long"));
    await Deno.remove(join(context.home, "vms", "dev"), { recursive: true });
    await output.add(new TextEncoder().encode("er"));
    const { file, note, bytes } = await output.finish();
    const told = { file, note, bytes };
    assert.deepEqual(told, {
      file: undefined,
      note: "the file with its stdout is removed already",
      bytes: 6,
    });
    const gone = await keep(context, ["long"], { keptBytes: 2 });
    assert.equal(gone.file, undefined);
    assert.match(gone.note!, /^stdout is not kept whole: /);
    await assert.rejects(Deno.stat(join(context.home, "vms", "dev")), Deno.errors.NotFound);
  });
});
