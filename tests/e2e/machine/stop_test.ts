import assert from "node:assert/strict";
import { Nest } from "../../helpers/guest.ts";
import { bootDisk, IDLE } from "../../helpers/boot_sector.ts";

Deno.test("a machine whose guest hears nothing is stopped by force, and it is told", async (t) => {
  await using nest = await Nest.make();
  await Deno.writeFile(nest.at("tiny.raw"), bootDisk(IDLE));
  await nest.ok(["image", "import", nest.at("tiny.raw"), "--name", "tiny", "--format", "raw"]);
  const spawn = ["spawn", "egg", "--image", "tiny", "--memory", "128M", "--wait", "running"];
  await nest.ok(spawn);

  await t.step("it is asked for the whole time first", async () => {
    const stopped = await nest.data(["stop", "egg", "--timeout", "1s"]);
    const { stopSeconds, ...rest } = stopped;
    assert.deepEqual(rest, { name: "egg", state: "stopped", how: "forced" });
    assert.ok(stopSeconds >= 1 && stopSeconds < 10, `it took ${stopSeconds} s`);
    assert.equal((await nest.data(["info", "egg"])).state, "stopped");
  });

  await t.step("a stopped one is refused, with force too", async () => {
    for (const more of [[], ["--force"]]) {
      assert.deepEqual(await nest.error(["stop", "egg", ...more]), {
        code: "wrong_state",
        message: 'Cannot stop VM "egg": it is stopped',
        hint: "nido start egg",
        details: { state: "stopped" },
        exit: 5,
      });
    }
    const unknown = await nest.error(["stop", "egk"]);
    assert.equal(unknown.message, 'No VM "egk"; the nearest is "egg"');
  });

  await t.step("a person reads which it was", async () => {
    await nest.ok(["start", "egg", "--wait", "running"]);
    const { stdout, stderr } = await nest.run(["stop", "egg", "--timeout", "1s"]);
    assert.match(stdout, /^"egg" is asleep: its power was cut \(\d+(\.\d+)? s\)\n$/);
    assert.match(stderr, /stop: "egg" is folding its wings\n/);
  });

  await t.step("a paused one is woken, asked and then forced", async () => {
    await nest.ok(["start", "egg", "--wait", "running"]);
    await nest.ok(["pause", "egg"]);
    assert.equal((await nest.data(["stop", "egg", "--timeout", "1s"])).how, "forced");
  });

  await t.step("with force nobody is asked", async () => {
    await nest.ok(["start", "egg", "--wait", "running"]);
    const { how, stopSeconds } = await nest.data(["stop", "egg", "--force", "--timeout", "600s"]);
    assert.equal(how, "forced");
    assert.ok(stopSeconds < 10, `it took ${stopSeconds} s`);
  });

  await t.step("a QEMU that hangs is killed", async () => {
    await nest.ok(["start", "egg", "--wait", "running"]);
    const pid = (await Deno.readTextFile(`${nest.home}/vms/egg/qemu.pid`)).trim();
    await new Deno.Command("kill", { args: ["-STOP", pid] }).output();
    assert.equal((await nest.data(["stop", "egg", "--timeout", "1s"])).how, "forced");
    const { state } = await nest.data(["info", "egg"]);
    assert.ok(state === "stopped" || state === "crashed", state);
  });
});

Deno.test("what a guest said last is kept when it is forced", async () => {
  await using nest = await Nest.make();
  const disk = bootDisk(IDLE);
  disk.set(LAST_WORDS);
  await Deno.writeFile(nest.at("last_words.raw"), disk);
  await nest.ok([
    "image",
    "import",
    nest.at("last_words.raw"),
    "--name",
    "tiny",
    "--format",
    "raw",
  ]);
  await nest.ok(["spawn", "egg", "--image", "tiny", "--memory", "128M", "--wait", "running"]);
  // Only the stop itself may fetch it: asking for the log before would fetch it too.
  let log = "";
  for (let patience = 2_000; log === "" && patience < 60_000; patience *= 2) {
    await new Promise((resolve) => setTimeout(resolve, patience));
    await nest.ok(["stop", "egg", "--force"]);
    log = await nest.ok(["logs", "egg"]);
    await nest.ok(["start", "egg", "--wait", "running"]);
  }
  assert.equal(log, "wren\n");
});

/** cli; dx = COM1; al = 'w', out dx, al; ... ; then hlt for ever. */
const LAST_WORDS = [
  0xfa,
  ...[0xba, 0xf8, 0x03],
  ...Array.from("wren\n", (letter) => [0xb0, letter.charCodeAt(0), 0xee]).flat(),
  ...[0xf4, 0xeb, 0xfd],
];
