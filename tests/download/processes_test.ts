import assert from "node:assert/strict";
import { downloadedBytes } from "../../lib/download/partial.ts";
import { partialDownloads } from "../../lib/download/download.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { serveImages } from "../helpers/image_server.ts";
import { sha256 } from "../image/fixture.ts";
import { assertNothingLeft, place, published } from "./fixture.ts";

function startPull(home: string, url: string, digest: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", fromFileUrl("../download/pull_script.ts"), home, url, digest],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** How a pull ended. */
async function outcome(child: Deno.ChildProcess): Promise<string> {
  const [stdout, { success }] = await Promise.all([
    new Response(child.stdout).text(),
    child.status,
    child.stderr.locked || child.stderr.cancel(),
  ]);
  assert.ok(success);
  return stdout.trim();
}

/** Waits until a pull tells that another process is at it. */
async function waits(child: Deno.ChildProcess): Promise<void> {
  let told = "";
  for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
    told += chunk;
    if (told.includes("Another process downloads debian:12\n")) return;
  }
  assert.fail(`it waited for nobody: ${told}`);
}

async function pause(ms: number): Promise<void> {
  await new Promise((done) => setTimeout(done, ms));
}

async function sizeOf(path: string): Promise<number> {
  return await Deno.stat(path).then(({ size }) => size, () => 0);
}

Deno.test("killed at 20 random moments, each pull goes on where the last one was", async () => {
  await using at = await place();
  const { bytes, digest } = await published(64_000_000);
  const drip = { bytes: 64 * 1024, everyMs: 2 };
  await using server = serveImages({ disk: { bytes, etag: '"one"', always: { drip } } });
  const path = downloadedBytes(at.home, digest.replace(":", "-"));
  const sizes: number[] = [];
  for (let kill = 0; kill < 20; kill++) {
    const before = await sizeOf(path);
    sizes.push(before);
    const child = startPull(at.home, server.url("disk"), digest);
    const enough = before + Math.random() * 1_000_000;
    const isEarly = kill % 5 === 4; // before its first byte, perhaps
    while (!isEarly && await sizeOf(path) < enough) await pause(1);
    await pause(Math.random() * (isEarly ? 500 : 20));
    child.kill("SIGKILL");
    await child.output();
    assert.ok(await sizeOf(path) >= before, "a kill lost bytes");
  }
  const left = await sizeOf(path);
  const [partial] = await partialDownloads(at.home);
  assert.deepEqual(
    [partial!.label, partial!.sizeBytes, partial!.totalBytes, partial!.busy],
    ["debian:12", left, bytes.length, false],
  );
  server.files.disk!.always = undefined;
  assert.equal(await outcome(startPull(at.home, server.url("disk"), digest)), "downloaded");
  const asked = server.seen.map(({ range }) => range);
  assert.equal(asked.at(-1), `bytes=${left}-`);
  const expected = new Set([...sizes, left].map((size) => size ? `bytes=${size}-` : undefined));
  assert.deepEqual(asked.filter((range) => !expected.has(range)), []);
  assert.ok(asked.filter((range) => range !== undefined).length > 15);
  assert.equal(await sha256(`${at.home}/stored`), digest);
  await assertNothingLeft(at);
});

Deno.test("two processes at once download once; the second tells how far the first is", async () => {
  await using at = await place();
  const { bytes, digest } = await published(4_000_000);
  const gate = Promise.withResolvers<void>();
  const always = { gate: { after: 2_000_000, open: gate.promise } };
  await using server = serveImages({ disk: { bytes, always } });
  const first = startPull(at.home, server.url("disk"), digest);
  while (server.sentBytes() < 1_500_000) await pause(1);
  const second = startPull(at.home, server.url("disk"), digest);
  await waits(second);
  gate.resolve();
  assert.deepEqual(await Promise.all([first, second].map(outcome)), ["downloaded", "present"]);
  assert.equal(server.sentBytes(), bytes.length);
  assert.equal(await sha256(`${at.home}/stored`), digest);
  await assertNothingLeft(at);
});

Deno.test("when the first of two is killed, the second takes over what is there", async () => {
  await using at = await place();
  const { bytes, digest } = await published(4_000_000);
  const gate = Promise.withResolvers<void>();
  const faults = [{ gate: { after: 2_000_000, open: gate.promise } }];
  await using server = serveImages({ disk: { bytes, etag: '"one"', faults } });
  const first = startPull(at.home, server.url("disk"), digest);
  while (server.sentBytes() < 1_500_000) await pause(1);
  const second = startPull(at.home, server.url("disk"), digest);
  await waits(second);
  first.kill("SIGKILL");
  await first.output();
  gate.resolve();
  assert.equal(await outcome(second), "downloaded");
  assert.equal(server.seen.length, 2);
  assert.match(server.seen[1]!.range!, /^bytes=\d{6,}-$/);
  assert.equal(await sha256(`${at.home}/stored`), digest);
});
