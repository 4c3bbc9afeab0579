import assert from "node:assert/strict";
import { readQcow2 } from "../../../lib/image/qcow2.ts";
import { Nest } from "../../helpers/guest.ts";
import { copyHome, copyMoment, type WarmMoment, warmMoment } from "../../helpers/warm_moment.ts";

const AGAIN = "nido image warm debian:12 makes a new one";

/** What is done to a warm base, and why a VM then boots instead. */
interface Fault {
  does: (moment: WarmMoment) => Promise<void>;
  reason: string;
  /** What the base is set aside for; absent: it stays, for whom it fits. */
  failure?: RegExp;
}

const FAULTS: Record<string, Fault> = {
  "its memory is cut": {
    does: ({ at }) => Deno.truncate(at("ram"), 4096),
    reason: `its warm state failed: its memory file has 4096 bytes instead of ${
      512 << 20
    }; ${AGAIN}`,
    failure: /^its memory file has 4096 bytes/,
  },
  "its memory was written to": {
    does: async ({ at }) => {
      using ram = await Deno.open(at("ram"), { write: true });
      await ram.write(new Uint8Array([1]));
    },
    reason: `its warm state failed: its memory file was written to; ${AGAIN}`,
    failure: /^its memory file was written to$/,
  },
  "its memory is gone": {
    does: ({ at }) => Deno.remove(at("ram")),
    reason: `its warm state failed: its memory is missing; ${AGAIN}`,
    failure: /^its memory is missing$/,
  },
  "a bit of its state is another": {
    does: (moment) => moment.spoilState(5000, new Uint8Array([0xff]), false),
    reason: `its warm state failed: its state file was changed; ${AGAIN}`,
    failure: /^its state file was changed$/,
  },
  "QEMU refuses its state": {
    does: (moment) => moment.spoilState(0, new Uint8Array([0]), true),
    reason:
      `its warm state did not wake: Cannot start VM "egg": QEMU ended at once: load of migration ` +
      "failed: Invalid argument",
    failure: /^Cannot start VM "egg": QEMU ended at once: load of migration failed/,
  },
  "QEMU was upgraded": {
    does: ({ say }) => say((record) => void (record.fingerprint.qemu = "7.2.1 another build")),
    reason:
      'image "debian:12" is not warm yet, and only a spawn that waits until ready makes it so',
  },
};

Deno.test("a base whose memory can't be used is booted from, and its VMs work", async (t) => {
  await using shared = await Nest.shared("none-");
  await using nest = await Nest.make();
  await copyHome(shared.home, nest.home);
  const spawn = (...more: string[]) => nest.hatch("egg", "--wait", "running", ...more);
  const spawnAndDelete = async (...more: string[]) => {
    const { spawnPath, spawnPathReason, state, problems } = await spawn(...more);
    assert.deepEqual([state, problems], ["running", []]);
    assert.equal((await nest.data(["info", "egg"])).state, "running");
    const { backingFile } = await readQcow2(`${nest.home}/vms/egg/disk.qcow2`);
    await nest.ok(["delete", "egg", "--force"]);
    return { spawnPath, spawnPathReason, backingFile };
  };

  for (const [title, { does, reason, failure }] of Object.entries(FAULTS)) {
    await t.step(title, async () => {
      const moment = await place();
      await does(moment);
      const first = await spawnAndDelete();
      assert.deepEqual([first.spawnPath, first.spawnPathReason], ["cold", reason]);
      const record = await moment.record();
      if (!failure) {
        assert.equal(record.failure, undefined);
        assert.equal((await Deno.stat(moment.at("ram"))).size, 512 << 20);
      } else {
        assert.match(record.failure!, failure);
        for (const file of ["ram", "state"] as const) {
          await assert.rejects(Deno.stat(moment.at(file)), Deno.errors.NotFound);
        }
        const second = await spawnAndDelete();
        assert.equal(second.spawnPath, "cold");
        assert.equal(
          second.spawnPathReason,
          `its warm state failed: ${record.failure}; ${AGAIN}`,
        );
        assert.notEqual(second.backingFile, moment.at("disk"));
      }
      assert.equal((await nest.data(["image", "info", "debian:12"])).name, "debian:12");
    });
  }

  await t.step("what no warm base fits boots, and says why", async () => {
    await place();
    const size = (fact: string, flags: string) =>
      `image "debian:12" is warm for 2 CPUs and 512 MiB, not for ${fact}; ` +
      `nido image warm debian:12 ${flags} makes it so`;
    await Deno.writeTextFile(nest.at("early.yaml"), "#cloud-config\nbootcmd: [[date]]\n");
    for (
      const [flags, expected] of [
        [["--cpus", "1"], size("1 CPUs and 512 MiB", "--cpus 1 --memory 512M")],
        [["--memory", "640M"], size("2 CPUs and 640 MiB", "--cpus 2 --memory 640M")],
        [["--user-data", nest.at("early.yaml")], "bootcmd must run early in the boot"],
      ] as const
    ) {
      const { spawnPath, spawnPathReason } = await spawnAndDelete(...flags);
      assert.deepEqual([spawnPath, spawnPathReason], ["cold", expected]);
    }
    await nest.ok(["config", "set", "warm", "off"]);
    assert.equal((await spawnAndDelete()).spawnPathReason, "the setting warm is off");
    await nest.ok(["config", "set", "warm", "on"]);
    assert.equal((await spawnAndDelete()).spawnPath, "warm");
  });

  await t.step("an image goes with its warm bases, but not from under a VM", async () => {
    const { spawnPath } = await spawn();
    assert.equal(spawnPath, "warm");
    const refused = await nest.error(["image", "remove", "debian:12"]);
    assert.deepEqual([refused.code, refused.message, refused.hint], [
      "in_use",
      'Cannot remove image "debian:12": in use by egg',
      "nido delete egg",
    ]);
    await nest.ok(["delete", "egg", "--force"]);
    await nest.ok(["image", "remove", "debian:12"]);
    for (const folder of ["moments", "disks", "images", "staging"]) {
      assert.deepEqual(await Array.fromAsync(Deno.readDir(`${nest.home}/${folder}`)), [], folder);
    }
  });

  async function place() {
    await Deno.remove(`${nest.home}/moments`, { recursive: true });
    await Deno.mkdir(`${nest.home}/moments`, { mode: 0o700 });
    return await copyMoment(shared.home, (await warmMoment(shared.home)).id, nest.home, "egg");
  }
});
