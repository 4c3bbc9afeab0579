import assert from "node:assert/strict";
import { commandLines } from "../../lib/host/process.ts";
import type { NidoError } from "../../lib/errors.ts";

Deno.test("a process that is gone is not in the list", async () => {
  const child = new Deno.Command("sleep", { args: ["0"] }).spawn();
  await child.status;
  const lines = await commandLines([Deno.pid, child.pid]);
  assert.deepEqual([...lines.keys()], [Deno.pid]);
  assert.equal((await commandLines([child.pid])).size, 0);
});

Deno.test("a process list that can't be had is an error, and not an empty one", async () => {
  const folder = await Deno.makeTempDir();
  const script = "#!/bin/sh\necho 'fatal library error, reap' >&2\nexit 1\n";
  await Deno.writeTextFile(`${folder}/ps`, script, { mode: 0o755 });
  const path = Deno.env.get("PATH")!;
  Deno.env.set("PATH", `${folder}:${path}`);
  try {
    await assert.rejects(commandLines([Deno.pid]), (error: NidoError) => {
      assert.equal(error.code, "tool_failed");
      assert.equal(error.message, "ps failed: fatal library error, reap");
      return true;
    });
  } finally {
    Deno.env.set("PATH", path);
    await Deno.remove(folder, { recursive: true });
  }
});
