import assert from "node:assert/strict";
import { NidoError } from "../../lib/errors.ts";
import { runInteractive } from "../../lib/host/process.ts";

Deno.test("an interactive program's exit code is handed on, a signal as 128 + n", async () => {
  assert.equal(await runInteractive("sh", ["-c", "exit 3"]), 3);
  assert.equal(await runInteractive("sh", ["-c", "kill -TERM $$"]), 143);
});

Deno.test("a program that is not there is host_missing", async () => {
  await assert.rejects(runInteractive("no-such-program", []), (error) => {
    assert.ok(error instanceof NidoError);
    assert.equal(error.code, "host_missing");
    assert.equal(error.message, "no-such-program is not installed (looked for it on PATH)");
    return true;
  });
});
