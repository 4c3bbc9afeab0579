import assert from "node:assert/strict";
import { join } from "node:path";
import { commandLines } from "../../../lib/host/process.ts";
import { diskRecord, findImage, listImages } from "../../../lib/image/image.ts";
import { files } from "../../../lib/store/files.ts";
import { namesIn, readRecord } from "../../../lib/store/record.ts";
import { nido, startNido } from "../../helpers/command.ts";
import { fromFileUrl } from "../../helpers/paths.ts";
import { cannotBuild, MAKE_ARCHIVE, type Workshop, workshop } from "../../recipe/workshop.ts";

const ignore = cannotBuild;
const BUILD = ["image", "build", "debian-12", "--mirror", "http://mirror.example.org/debian"];

function manner(at: Workshop) {
  return { home: at.home, env: { PATH: `${at.bin}:${Deno.env.get("PATH")}` } };
}

Deno.test({ name: "processes that build one name at once build it once", ignore }, async () => {
  await using at = await workshop(`sleep 1\n${MAKE_ARCHIVE}`);
  const told = await Promise.all([1, 2].map(() => nido([...BUILD, "--json"], manner(at))));
  for (const { code, stderr } of told) assert.equal(code, 0, stderr);
  const results = told.map(({ stdout }) => JSON.parse(stdout).data);
  assert.deepEqual(results.map(({ reused }) => reused).sort(), [false, true]);
  assert.equal(results[0].image.digest, results[1].image.digest);
  assert.deepEqual([results[0].image.origin, results[0].image.source], ["built", "debian-12"]);
  assert.equal((await at.calls()).length, 1);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
});

Deno.test(
  { name: "a killed build ends what it started, and the next one is whole", ignore },
  async () => {
    await using at = await workshop(
      'sleep 300 & echo "$$ $!" >"$0.new"; mv "$0.new" "$0.pids"; wait',
    );
    const child = startNido(BUILD, manner(at));
    const output = child.output();
    const pids = await pidsIn(join(at.bin, "mmdebstrap.pids"));
    assert.equal((await commandLines(pids)).size, 2);
    child.kill("SIGKILL");
    assert.equal((await output).signal, "SIGKILL");
    for (let left = 500; (await commandLines(pids)).size > 0; left--) {
      assert.ok(left > 0, "they live on");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await at.addProgram("mmdebstrap", MAKE_ARCHIVE);
    await assertHeals(at);
  },
);

Deno.test({ name: "Ctrl-C ends a build and what it started", ignore }, async () => {
  await using at = await workshop(
    'sleep 300 & echo "$$ $!" >"$0.new"; mv "$0.new" "$0.pids"; wait',
  );
  const child = startNido(BUILD, manner(at));
  const output = child.output();
  const pids = await pidsIn(join(at.bin, "mmdebstrap.pids"));
  child.kill("SIGINT");
  assert.equal((await output).code, 130);
  assert.equal((await commandLines(pids)).size, 0);
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
  assert.deepEqual(await listImages(at.home), []);
});

Deno.test({ name: "killed at any step, a build leaves nothing half-made", ignore }, async () => {
  await using at = await workshop();
  const steps = await stepsOf(at);
  assert.ok(steps > 40, `only ${steps} steps`);
  for (let step = 1; step <= steps; step += 7) {
    await Deno.remove(at.home, { recursive: true });
    await Deno.mkdir(at.home, { mode: 0o700 });
    const { signal, stderr } = await victim(at, step);
    assert.equal(signal, "SIGKILL", `step ${step}: ${stderr}`);
    for (const { problems } of await listImages(at.home)) assert.deepEqual(problems, [], stderr);
    await assertHeals(at);
  }
});

/** How many steps a whole build takes, in a home that is there already. */
async function stepsOf(at: Workshop): Promise<number> {
  await Deno.mkdir(at.home, { mode: 0o700 });
  const { stderr } = await victim(at, 0);
  return stderr.split("\n").filter((line) => line.startsWith("step ")).length;
}

async function victim(at: Workshop, atStep: number) {
  const preload = ["--preload", fromFileUrl("./kill_at.ts")];
  const { home, env } = manner(at);
  const { signal, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...preload, fromFileUrl("../../main.ts"), ...BUILD],
    env: { ...env, NIDO_HOME: home, KILL_AT: String(atStep), KILL_TRACE: atStep ? "" : "1" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return { signal, stderr: new TextDecoder().decode(stderr) };
}

/** After whatever happened a build succeeds, and leaves nothing half-made. */
async function assertHeals(at: Workshop): Promise<void> {
  const { code, stderr } = await nido(BUILD, manner(at));
  assert.equal(code, 0, stderr);
  assert.ok(await findImage(at.home, "debian-12"));
  assert.deepEqual(await namesIn(files.staging(at.home)), []);
  // Killed between the two last steps, it leaves a whole disk without a name, as a cache may hold.
  for (const folder of await namesIn(files.disks(at.home))) {
    const digest = folder.replace("-", ":");
    const record = await readRecord(files.diskRecord(at.home, digest), diskRecord);
    assert.equal(record?.storedSizeBytes, (await Deno.stat(files.diskImage(at.home, digest))).size);
  }
}

async function pidsIn(path: string): Promise<number[]> {
  for (let left = 1000;; left--) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text) return text.trim().split(" ").map(Number);
    assert.ok(left > 0, "it said nothing");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
