import assert from "node:assert/strict";
import { Nest } from "../../helpers/guest.ts";
import { WHO_IT_IS } from "../../helpers/guest_scripts.ts";
import { warmMoment } from "../../helpers/warm_moment.ts";

const CLONES = Array.from({ length: 10 }, (_, number) => `clone-${number}`);

const WHO = `${WHO_IT_IS}
ls /etc/ssh/ssh_host_*_key | wc -l
date +%s.%N`;

const MIB = 1 << 20;
const HARD = `python3 -c '
import os
block = os.urandom(${MIB})
held = bytearray(200 * ${MIB})
for at in range(0, len(held), ${MIB}):
    held[at:at + ${MIB}] = block
with open("/var/tmp/hard", "wb") as file:
    file.write(held[:50 * ${MIB}])
    os.fsync(file.fileno())
print(len(held))
'`;

Deno.test("ten clones of one base, hatched at once", async (t) => {
  await using nest = await Nest.shared("clone-");
  const shell = (name: string, script: string) => nest.ok(["exec", name, "--", "sh", "-c", script]);
  const moment = await warmMoment(nest.home);
  const ramBefore = await moment.ramDigest();

  await t.step("all wake from the base's memory and are ready", async () => {
    const spawned = await Promise.all(
      CLONES.map((name, number) => nest.hatch(name, ...number ? [] : ["--disk", "4G"])),
    );
    assert.deepEqual(
      spawned.map(({ name, state, firstBoot, spawnPath, problems }) =>
        [name, state, firstBoot, spawnPath, ...problems].join(" ")
      ),
      CLONES.map((name) => `${name} running done warm`),
    );
    assert.match(spawned[0].spawnPathReason, /^it woke from the memory of image "debian:12", froz/);
    const ports = spawned.flatMap(({ ports }) => ports.map((port: { host: number }) => port.host));
    assert.equal(new Set(ports).size, CLONES.length);
  });

  await t.step(
    "none shares its name, ids, keys or random bytes, and each knows the time",
    async () => {
      const told = await Promise.all(CLONES.map(async (name) => {
        const before = Date.now() / 1000;
        const lines = (await shell(name, WHO)).trim().split("\n").map((line) => line.trim());
        const [hostKeys, time] = lines.splice(-2);
        assert.equal(hostKeys, "1", "it has more host keys than the one that Nido gave it");
        const after = Date.now() / 1000;
        const isRight = Number(time) > before - 1 && Number(time) < after + 1;
        assert.ok(isRight, `${name} says ${time}, between ${before} and ${after}`);
        return lines;
      }));
      assert.deepEqual(told.map(([hostname]) => hostname), CLONES);
      for (const [line, what] of told[0]!.entries()) {
        const values = new Set(told.map((lines) => lines[line]));
        assert.equal(values.size, CLONES.length, `two have the same ${what}`);
      }
    },
  );

  await t.step("each knows the way out, and whom to ask for names", async () => {
    const said = await Promise.all(
      CLONES.map((name) =>
        shell(name, "ip route show default | cut -d' ' -f1-3; grep ^nameserver /etc/resolv.conf")
      ),
    );
    assert.deepEqual(said, CLONES.map(() => "default via 10.0.2.2\nnameserver 10.0.2.3\n"));
  });

  await t.step(
    "the larger disk that was asked for is there, and its file system fills it",
    async () => {
      const sizeKib = Number(await shell("clone-0", "df --output=size / | tail -1"));
      assert.ok(sizeKib > 3.6 * 2 ** 20, `the file system has ${sizeKib} KiB`);
    },
  );

  await t.step("they work hard, and the base's memory stays as it was", async () => {
    for (const half of [CLONES.slice(0, 5), CLONES.slice(5)]) {
      const said = await Promise.all(half.map((name) => shell(name, HARD)));
      assert.deepEqual(said, half.map(() => `${200 * MIB}\n`));
    }
    assert.equal(await moment.ramDigest(), ramBefore);
  });

  await t.step("what they stand on can't be removed", async () => {
    const { code, message, details } = await nest.error(["image", "remove", "debian:12"]);
    assert.equal(code, "in_use");
    assert.match(message, /^Cannot remove image "debian:12": in use by .*clone-0, clone-1, /);
    for (const name of CLONES) assert.ok(details.users.includes(name), message);
    assert.equal((await nest.data(["info", "clone-9"])).state, "running");
  });
});
