import assert from "node:assert/strict";
import { referencePages } from "../../scripts/reference.ts";
import { fromFileUrl } from "../helpers/paths.ts";

Deno.test("the reference pages say what the operations say", async () => {
  for (const [name, text] of await referencePages()) {
    const kept = await Deno.readTextFile(fromFileUrl(`../../docs/reference/${name}`));
    assert.ok(kept === text, `docs/reference/${name} is stale: deno task reference`);
  }
});
