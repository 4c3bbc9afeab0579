import assert from "node:assert/strict";
import { load } from "../../lib/cli/run.ts";
import { hasDiskSuffix, looksLikePath } from "../../lib/image/import_name.ts";
import { workspaceGuard } from "../../mcp/guards/workspace.ts";
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
