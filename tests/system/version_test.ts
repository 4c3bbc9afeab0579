import assert from "node:assert/strict";
import { makeContext } from "../../lib/context.ts";
import operation from "../../lib/system/version.ts";

Deno.test("the version is that of deno.json", async () => {
  const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
  assert.deepEqual(await operation.call(makeContext("/nowhere"), {}), {
    version,
    kind: "source",
    deno: Deno.version.deno,
    os: Deno.build.os,
    arch: Deno.build.arch,
  });
});
