import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { diskRecord, listImages } from "../../../lib/image/image.ts";
import { importImage } from "../../../lib/image/import.ts";
import { resolveImage } from "../../../lib/image/resolve.ts";
import { run } from "../../../lib/host/process.ts";
import { files } from "../../../lib/store/files.ts";
import { namesIn, readRecord } from "../../../lib/store/record.ts";
import { sweepStaging } from "../../../lib/store/staging.ts";
import { type Fixture, fixture, sha256, writeQcow2, writeRaw } from "../../image/fixture.ts";

const SCRIPT = fileURLToPath(new URL("../../fixtures/import_image.ts", import.meta.url));

function start(args: string[], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", SCRIPT, ...args],
    env,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended by itself: a moment after the last.
  }
}

/** Puts a qemu-img on PATH that kills Nido before or after the real one does its n-th work. */
async function killerOnPath(at: Fixture, nth: number, when: "before" | "after") {
  const bin = at.at(`bin-${nth}-${when}`);
  await Deno.mkdir(bin);
  const real = new TextDecoder().decode((await run("which", ["qemu-img"])).stdout).trim();
  const script = [
    "#!/bin/sh",
    `echo >> ${bin}/calls`,
    `[ $(wc -l < ${bin}/calls) = ${nth} ] || exec ${real} "$@"`,
    when === "after" ? `${real} "$@"` : "",
    "kill -KILL $PPID",
  ];
  await Deno.writeTextFile(join(bin, "qemu-img"), script.join("\n"), { mode: 0o755 });
  return { PATH: `${bin}:${Deno.env.get("PATH")}` };
}

/** Nothing half-made is visible: every disk is whole, every image opens. */
async function assertWhole(home: string): Promise<void> {
  for (const folder of await namesIn(files.disks(home))) {
    const digest = folder.replace("-", ":");
    const record = await readRecord(files.diskRecord(home, digest), diskRecord);
    assert.equal(await sha256(files.diskImage(home, digest)), record?.storedDigest);
    assert.equal((await Deno.stat(files.diskImage(home, digest))).mode! & 0o777, 0o400);
  }
  for (const { problems } of await listImages(home)) assert.deepEqual(problems, []);
}

/** After whatever happened, an import succeeds and leaves nothing but its own. */
async function assertHeals(at: Fixture, file: string): Promise<void> {
  await assertWhole(at.home);
  const { image } = await importImage(at.context, { file, name: "it" });
  assert.equal(image.digest, await sha256(file));
  await assertWhole(at.home);
  await sweepStaging(at.home);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
  assert.equal((await namesIn(files.disks(at.home))).length, 1);
}

Deno.test("processes that import one file at once store it once, and all have it", async () => {
  await using at = await fixture();
  const file = await writeRaw(at.at("disk.img"), 8 << 20);
  const names = ["one", "one", "two", "two", "three"];
  const ended = await Promise.all(names.map((name) => start([at.home, file, name]).output()));
  for (const { code, stderr } of ended) assert.equal(code, 0, new TextDecoder().decode(stderr));
  const told = ended.map(({ stdout }) => JSON.parse(new TextDecoder().decode(stdout)));
  const digest = await sha256(file);
  assert.deepEqual(told.map(({ digest }) => digest), names.map(() => digest));
  assert.equal(told.filter(({ reused }) => reused).length, 2);
  assert.deepEqual((await listImages(at.home)).map(({ name }) => name), ["one", "three", "two"]);
  assert.deepEqual(await namesIn(files.disks(at.home)), [digest.replace(":", "-")]);
  await assertWhole(at.home);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
});

Deno.test("different files of one name, resolved at once, get names of their own", async () => {
  await using at = await fixture();
  const wanted = await Promise.all([1, 2, 3].map(async (seed) => {
    await Deno.mkdir(at.at(`${seed}`));
    return await writeRaw(at.at(`${seed}/disk.img`), 1 << 20, seed);
  }));
  const resolved = await Promise.all(wanted.map((file) => resolveImage(at.context, file)));
  const images = resolved.map(({ image }) => image);
  for (const [index, file] of wanted.entries()) {
    assert.equal(images[index]!.digest, await sha256(file));
  }
  assert.deepEqual(images.map(({ name }) => name).sort(), ["disk", "disk-2", "disk-3"]);
});

Deno.test("killed around each call of qemu-img, an import leaves nothing half-made", async () => {
  await using at = await fixture();
  const raw = await writeRaw(at.at("disk.img"));
  const qcow2 = await writeQcow2(at.at("disk.qcow2"));
  for (const [file, calls] of [[raw, 2], [qcow2, 2]] as const) {
    for (let nth = 1; nth <= calls; nth++) {
      for (const when of ["before", "after"] as const) {
        const env = await killerOnPath(at, nth, when);
        const { signal } = await start([at.home, file, "it"], env).output();
        assert.equal(signal, "SIGKILL", `${file}, call ${nth}`);
        assert.deepEqual(await namesIn(files.images(at.home)), []);
        await assertHeals(at, file);
        await Deno.remove(at.home, { recursive: true });
        await Deno.remove(env.PATH.split(":")[0]!, { recursive: true });
      }
    }
  }
});

Deno.test("killed at any moment, an import leaves nothing half-made", async () => {
  await using at = await fixture();
  const file = await writeQcow2(at.at("disk.qcow2"), 4 << 20);
  const began = performance.now();
  await start([at.home, file, "it"]).output();
  const wholeMs = performance.now() - began;
  await Deno.remove(at.home, { recursive: true });
  for (let moment = 0; moment < 8; moment++) {
    const child = start([at.home, file, "it"]);
    const ended = child.output();
    const timer = setTimeout(() => kill(child), wholeMs * (0.25 + 0.1 * moment));
    await ended;
    clearTimeout(timer);
    await assertHeals(at, file);
    await Deno.remove(at.home, { recursive: true });
  }
});
