import assert from "node:assert/strict";
import { join } from "node:path";
import { vmFiles } from "../../../lib/store/files.ts";
import { isThere } from "../../../lib/store/is_there.ts";
import { suspendHeld } from "../../../lib/vm/suspend.ts";
import { mustBeSound, withVm } from "../../../lib/vm/vm.ts";
import { counting } from "./counting.ts";
import { countPast } from "../../helpers/counter.ts";

Deno.test("a VM whose sleep can't be written down goes on, and keeps nothing of it", async () => {
  await using home = await counting();
  await home.spawn("a", { image: "count" });
  const { count } = await countPast(home, "a", 0);
  await home.call("vm.resume", { name: "a" });
  const full = new Error("no space left");
  const refused = withVm(home.context, "a", "suspend", async (vm) => {
    const { record } = mustBeSound(vm);
    const labels = { toJSON: () => fail(full) };
    return await suspendHeld(home.context, { ...vm, record: { ...record, labels } as never });
  });
  await assert.rejects(refused, full);
  assert.equal((await home.row("a"))?.state, "running");
  assert.equal(await isThere(join(home.home, "vms", "a", vmFiles.suspended)), false);
  await countPast(home, "a", count);
});

function fail(error: Error): never {
  throw error;
}
