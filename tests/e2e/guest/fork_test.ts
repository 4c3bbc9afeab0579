import assert from "node:assert/strict";
import { run } from "../../../lib/host/process.ts";
import { Nest } from "../../helpers/guest.ts";
import {
  CONNECTION_ENDED,
  COUNT,
  HEAR_DHCP,
  HEARD_DHCP,
  START_COUNTING,
  startConnection,
  WHO_IT_IS,
} from "../../helpers/guest_scripts.ts";

Deno.test("a running VM is copied with all that it is doing", async (t) => {
  await using nest = await Nest.shared("tree");
  const shell = (name: string, script: string) => nest.ok(["exec", name, "--", "sh", "-c", script]);
  const copies = ["tree-fork1", "tree-fork2"];
  using outside = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  await t.step("a program counts, and a connection to the outside is open", async () => {
    await nest.hatch("tree", "--port", "web:8000");
    await shell("tree", START_COUNTING);
    await shell("tree", startConnection((outside.addr as Deno.NetAddr).port));
    assert.equal(await shell("tree", "cat ~/state/connection"), "open\n");
    await shell("tree", HEAR_DHCP);
  });

  await t.step("both copies count on, as the same process", async () => {
    const [pid, before] = (await shell("tree", COUNT)).split(" ").map(Number);
    const { forks, stillMs, memoryBytes } = await nest.data(["fork", "tree", "--count", "2"]);
    console.log(`    it stood still for ${stillMs} ms, ${memoryBytes >> 20} MiB were copied`);
    assert.deepEqual(
      forks.map((
        { name, state, problems }: { name: string; state: string; problems: string[] },
      ) => [name, state, ...problems]),
      copies.map((name) => [name, "running"]),
    );
    await Promise.all(["tree", ...copies].map(async (name) => {
      const [first, second] = (await shell(name, `${COUNT}; sleep 1; ${COUNT}`)).trim().split("\n")
        .map((line) => line.split(" ").map(Number));
      assert.deepEqual([first![0], second![0]], [pid, pid], name);
      assert.ok(first![1]! > before! && second![1]! > first![1]!, `${name}: ${first} ${second}`);
    }));
  });

  await t.step(
    "each is its own machine, with ports of its own, and tells where it is from",
    async () => {
      const told = await Promise.all(["tree", ...copies].map(async (name) => {
        const lines = (await shell(name, WHO_IT_IS)).trim().split("\n");
        const { ports, forkedFrom } = await nest.data(["info", name]);
        assert.equal(forkedFrom, name === "tree" ? undefined : "tree");
        assert.deepEqual(ports.map(({ guest }: { guest: number }) => guest), [22, 8000]);
        return [...lines, ...ports.map(({ host }: { host: number }) => String(host))];
      }));
      assert.deepEqual(told.map(([hostname]) => hostname), ["tree", ...copies]);
      for (const line of told[0]!.keys()) {
        assert.equal(new Set(told.map((lines) => lines[line])).size, 3, `line ${line} of ${told}`);
      }
    },
  );

  await t.step("each copy asks for a lease of its own, and the source doesn't", async () => {
    for (const name of copies) assert.equal(await shell(name, HEARD_DHCP), "hears\n3\n5\n", name);
    assert.equal(await shell("tree", "cat /run/dhcp"), "hears\n");
  });

  await t.step("what one writes from then on is not in the others", async () => {
    const all = ["tree", ...copies];
    await Promise.all(all.map((name) => shell(name, `echo ${name} > ~/own; touch ~/${name}`)));
    const said = await Promise.all(all.map((name) => shell(name, "cat ~/own; ls ~ | grep tree")));
    assert.deepEqual(said, all.map((name) => `${name}\n${name}\n`));
  });

  await t.step(
    "a copy's connection to the outside has failed, and the source's goes on",
    async () => {
      const said = await Promise.all(copies.map((name) => shell(name, CONNECTION_ENDED)));
      assert.deepEqual(said, copies.map(() => "failed: ConnectionAbortedError\n"));
      assert.equal(await shell("tree", "cat ~/state/connection"), "open\n");
    },
  );

  await t.step("more copies than there is memory for are refused beforehand", async () => {
    const { code, message, details } = await nest.error(["fork", "tree", "--count", "64"]);
    if (details?.availableMib >= 64 * 512) return;
    assert.equal(code, "exhausted");
    assert.equal(
      message,
      'Cannot fork VM "tree": 64 x 512 MiB = 32768 MiB of memory are needed, ' +
        `and this host has ${details.availableMib} MiB left`,
    );
    assert.equal((await nest.data(["info", "tree"])).state, "running");
  });

  await t.step("a copy can be copied, and outlives those that it came from", async () => {
    await nest.ok(["fork", copies[0]!, "--into", "tree-grandchild"]);
    await nest.ok(["delete", "--force", "tree", copies[0]!]);
    assert.equal(
      await shell("tree-grandchild", "cat ~/own; hostname"),
      `${copies[0]}\ntree-grandchild\n`,
    );
    const count = async () => Number((await shell("tree-grandchild", COUNT)).split(" ")[1]);
    assert.ok(await count() < await count());
    await shell("tree-grandchild", "head -c 50M /dev/urandom > ~/much && sync");
    assert.equal(await shell(copies[1]!, "cat ~/own"), `${copies[1]}\n`);
    for (const name of ["tree-grandchild", copies[1]!]) {
      await nest.ok(["stop", name, "--force"]);
      const { disk } = JSON.parse(await Deno.readTextFile(`${nest.home}/vms/${name}/vm.json`));
      await run("qemu-img", ["check", "-q", "-f", "qcow2", `${nest.home}/vms/${name}/${disk}`]);
    }
  });

  await t.step("with the last of them all that was frozen goes", async () => {
    await nest.ok(["delete", "tree-grandchild", copies[1]!]);
    for (const folder of ["incubators", "layers", "staging"]) {
      assert.deepEqual(await Array.fromAsync(Deno.readDir(`${nest.home}/${folder}`)), [], folder);
    }
  });
});
