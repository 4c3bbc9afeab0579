import assert from "node:assert/strict";
import { join } from "node:path";
import { uninstall } from "../../../lib/system/uninstall.ts";
import { nest, refuses } from "../../helpers/nest.ts";
import { installed } from "../../helpers/release.ts";

Deno.test("while VMs run nothing is removed, unless somebody insists", async () => {
  await using at = await nest();
  const copy = await installed(join(at.folder, "bin"), "0.1.0");
  const act = (input: Parameters<typeof uninstall>[1]) =>
    uninstall(at.context, input, { copy, env: () => undefined });
  await at.spawn("one");
  await at.spawn("two", { wait: "none" });

  const error = await refuses(act({}), "in_use", "Cannot uninstall Nido: VMs run: one");
  assert.equal(error.hint, "nido stop one");
  await refuses(act({ purge: true }), "in_use", "Cannot uninstall Nido: VMs run: one");
  assert.deepEqual((await act({ dryRun: true })).running, ["one"]);
  assert.ok((await Deno.stat(copy.path)).isFile);

  await act({ force: true });
  await assert.rejects(Deno.stat(copy.path), Deno.errors.NotFound);
  assert.equal((await at.row("one"))?.state, "running");

  await act({ purge: true, force: true });
  await at.assertEmpty();
  await assert.rejects(Deno.stat(at.home), Deno.errors.NotFound);
});
