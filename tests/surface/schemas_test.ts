import assert from "node:assert/strict";
import { SCHEMAS, schemasText } from "../../scripts/schemas.ts";
import { fromFileUrl } from "../helpers/paths.ts";

Deno.test("the published schemas are those of the snapshot", async () => {
  const kept = await Deno.readTextFile(fromFileUrl(`../../${SCHEMAS}`));
  const told = "A published schema changed. When that is meant: deno task schemas";
  assert.deepEqual(JSON.parse(await schemasText()), JSON.parse(kept), told);
});
