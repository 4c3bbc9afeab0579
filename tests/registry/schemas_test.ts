import assert from "node:assert/strict";
import { REGISTRY_SCHEMAS, registrySchemas } from "../../scripts/registry_schemas.ts";
import { fromFileUrl } from "../helpers/paths.ts";

Deno.test("the schemas that editors read are those of the code", async () => {
  for (const [file, text] of registrySchemas()) {
    const kept = await Deno.readTextFile(fromFileUrl(`../../${REGISTRY_SCHEMAS}/${file}`));
    const told = `${file} is not as the code has it. When that is meant: deno task schemas`;
    assert.deepEqual(JSON.parse(text), JSON.parse(kept), told);
  }
});
