import assert from "node:assert/strict";
import { join } from "node:path";
import { files } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { Nest } from "../../helpers/guest.ts";
import { machineLines } from "../../helpers/machines.ts";
import { fromFileUrl } from "../../helpers/paths.ts";

Deno.test("a spawn that is killed while it makes its base warm leaves nothing that stays", async () => {
  await using nest = await Nest.withGuestImage();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", fromFileUrl("../../main.ts"), "spawn", "egg"],
      ...["--image", "debian:12", "--memory", "512M"],
    ],
    env: { NIDO_HOME: nest.home },
    stdout: "null",
    stderr: "piped",
  }).spawn();
  await heard(child.stderr, "kernel is starting");
  child.kill("SIGKILL");
  await child.status;

  assert.equal(machineLines(`${nest.home}/incubators/`).length, 1, "its machine runs on");
  assert.deepEqual((await nest.data(["list"])).vms, []);
  await nest.ok(["prune"]);
  assert.deepEqual(machineLines(`${nest.home}/`), []);
  for (const folder of [files.incubators(nest.home), files.moments(nest.home)]) {
    assert.deepEqual(await namesIn(folder), []);
  }
  assert.deepEqual(await namesIn(join(nest.home, "run")), []);
});

Deno.test("without shared memory VMs wake from memory that is read in full", async () => {
  await using nest = await Nest.withGuestImage();
  await nest.ok(["config", "set", "warm", "stream"]);
  const first = await nest.hatch("one");
  const second = await nest.hatch("two");
  assert.deepEqual([first.spawnPath, second.spawnPath], ["stream", "stream"]);
  assert.match(
    second.spawnPathReason,
    /^it woke from the memory, read in full, of image "debian:12"/,
  );
  assert.equal(second.timings.incubateSeconds, undefined);
  for (const name of ["one", "two"]) {
    assert.equal((await nest.ok(["exec", name, "--", "hostname"])).trim(), name);
  }
});

/** Reads until a text has come; the rest is thrown away. */
async function heard(stream: ReadableStream<Uint8Array>, text: string): Promise<void> {
  const [ours, rest] = stream.tee();
  rest.pipeTo(new WritableStream()).catch(() => {}); // ends with the process
  let said = "";
  for await (const chunk of ours.pipeThrough(new TextDecoderStream())) {
    said += chunk;
    if (said.includes(text)) return;
  }
  throw new Error(`it ended without ${JSON.stringify(text)}:\n${said}`);
}
