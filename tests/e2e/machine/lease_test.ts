import assert from "node:assert/strict";
import { operations } from "../../../lib/operations.ts";
import { files } from "../../../lib/store/files.ts";
import { takeLock } from "../../../lib/store/lock.ts";
import { vmLock } from "../../../lib/vm/vm.ts";
import { nest } from "../../helpers/nest.ts";

interface Told {
  name: string;
  state: string;
  expiresAt?: string;
  problems: string[];
}

Deno.test("leases of VMs", async (t) => {
  await using home = await nest();
  /** Calls an operation some seconds from now. */
  const later = async (seconds: number, name: string, input: Record<string, unknown> = {}) => {
    const now = () => new Date(Date.now() + seconds * 1000);
    // deno-lint-ignore no-explicit-any
    return (await (await operations[name]!()).default.call({ ...home.context, now }, input)) as any;
  };
  const listed = async (seconds: number): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await later(seconds, "vm.list")).vms.map(({ name, state }: Told) => [name, state]),
    );

  await t.step("are told, and nothing happens before their time", async () => {
    await home.spawn("short", { ttlSeconds: 600 });
    await home.spawn("free");
    const { expiresAt, onExpiry } = await home.call<Record<string, string>>("vm.info", {
      name: "short",
    });
    assert(Math.abs(Date.parse(expiresAt!) - Date.now() - 600_000) < 60_000, expiresAt);
    assert.equal(onExpiry, "suspend");
    assert.deepEqual(await listed(500), { free: "running", short: "running" });
    assert.equal((await home.row("free") as unknown as Told).expiresAt, undefined);
  });

  await t.step("one that another command works on is left to it", async () => {
    using _working = await takeLock(home.context, vmLock("short", "test"));
    assert.deepEqual(await listed(700), { free: "running", short: "running" });
  });

  await t.step("two sweeps at once suspend once; it is over only once", async () => {
    const both = await Promise.all([listed(700), listed(700)]);
    assert(both.some(({ short }) => short === "suspended"), JSON.stringify(both));
    assert.deepEqual(await listed(700), { free: "running", short: "suspended" });
    assert.equal((await home.row("short") as unknown as Told).expiresAt, undefined);
  });

  await t.step("are renewed and removed by set", async () => {
    const set = (more: Record<string, unknown>) =>
      home.call<{ changed: string[] }>("vm.set", { name: "free", ...more });
    assert.deepEqual((await set({ onExpiry: "delete" })).changed, []);
    assert.deepEqual((await set({ ttlSeconds: 60 })).changed, ["lease"]);
    assert.deepEqual((await set({ ttlSeconds: 3600 })).changed, ["lease"]);
    assert.equal((await listed(700)).free, "running");
    assert.deepEqual((await set({ ttlSeconds: 0 })).changed, ["lease"]);
    assert.equal((await listed(7200)).free, "running");
  });

  await t.step(
    "a VM that sleeps stays as it is, and prune takes none that it put to rest",
    async () => {
      await home.call("vm.set", { name: "short", ttlSeconds: 60 });
      await home.call("vm.set", { name: "free", ttlSeconds: 60 });
      assert.deepEqual(await later(100, "vm.prune", { dryRun: true }), {
        deleted: [],
        wouldDelete: [],
      });
      assert.equal((await home.row("free"))?.state, "running");
      assert.deepEqual(await later(100, "vm.prune"), { deleted: [], wouldDelete: [] });
      assert.deepEqual(await listed(100), { free: "suspended", short: "suspended" });
      assert.equal((await home.row("short") as unknown as Told).expiresAt, undefined);
    },
  );

  await t.step("delete only when that was asked, and only after as long a time", async () => {
    await home.call("vm.set", { name: "free", ttlSeconds: 1, onExpiry: "delete" });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await home.call("vm.spawn", { name: "next", wait: "none" });
    assert.deepEqual(await listed(0), { next: "stopped", short: "suspended" });
    await home.call("vm.set", { name: "next", ttlSeconds: 1000, onExpiry: "delete" });
    assert.equal((await listed(2000)).next, "stopped", "the clock jumped");
  });

  await t.step("what can't be suspended is stopped", async () => {
    await home.call("vm.start", { name: "next", wait: "running" });
    await home.call("vm.set", { name: "next", ttlSeconds: 60, onExpiry: "suspend" });
    const staging = files.staging(home.home);
    await Deno.rename(staging, `${staging}.aside`);
    await Deno.writeTextFile(staging, "");
    assert.equal((await listed(100)).next, "stopped");
    await Deno.remove(staging);
    await Deno.rename(`${staging}.aside`, staging);
    const record = JSON.parse(await Deno.readTextFile(home.at("next", "record")));
    assert.equal(record.lease, undefined);
  });
});
