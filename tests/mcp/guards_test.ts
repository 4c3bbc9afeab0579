import assert from "node:assert/strict";
import { load } from "../../lib/cli/run.ts";
import { hasDiskSuffix, looksLikePath } from "../../lib/image/import_name.ts";
import { policyGuard } from "../../mcp/guards/policy.ts";
import { workspaceGuard } from "../../mcp/guards/workspace.ts";
import { withHome } from "../helpers/command.ts";
import { refuses } from "../helpers/nest.ts";

Deno.test("whatever a spawn would take for a file is a path to the guard of the workspace", async () => {
  const spawn = await load("vm.spawn");
  const suffixes = "xz gz bz2 zst tar qcow2 qcow img raw disk vmdk vhdx vdi VMDK".split(" ");
  for (const image of [...suffixes.map((suffix) => `disk.${suffix}`), "./disk", ".disk", "a\\b"]) {
    assert.ok(hasDiskSuffix(image) || looksLikePath(image), image);
    await refuses(
      workspaceGuard(undefined)(
        { operation: spawn, input: { image } },
        (input) => Promise.resolve(input),
      ),
      "denied",
      `Cannot run vm.spawn with ${image}: this server reaches no files of its host`,
    );
  }
});

Deno.test("a policy's images hold for the image of a bare spawn, and for files too", async () => {
  await withHome(async (home) => {
    const guard = policyGuard(
      { preset: "full", deny: [], images: ["debian:*", "/images/good*"] },
      home,
    );
    const call = async (name: string, input: Record<string, unknown>) =>
      await guard({ operation: await load(name), input }, (input) => Promise.resolve(input));
    assert.deepEqual(await call("vm.spawn", {}), {});
    const allowed = "the policy allows the images debian:*, /images/good*";
    const denied = `Cannot run vm.spawn: ${allowed}`;
    await refuses(call("vm.spawn", { image: "alpine" }), "denied", denied);
    const own = { name: "debian:12", force: true };
    for (const name of ["image.import", "template.import"]) {
      const denied = `Cannot run ${name}: ${allowed}`;
      await refuses(call(name, { file: "/images/other.qcow2", ...own }), "denied", denied);
      const good = { file: "/images/good.qcow2", ...own };
      assert.deepEqual(await call(name, good), good);
    }
  });
});
