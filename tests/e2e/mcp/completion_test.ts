import assert from "node:assert/strict";
import { join } from "node:path";
import { nest } from "../../helpers/nest.ts";
import { connect } from "../../mcp/client.ts";

Deno.test("names of VMs are completed in every page of a VM, a hundred at most", async () => {
  await using made = await nest();
  for (let number = 0; number < 130; number++) {
    await Deno.mkdir(join(made.home, "vms", `vm-${number}`), { recursive: true });
  }
  await using mcp = await connect({ home: made.home });
  const complete = async (uri: string, value: string, name = "name") =>
    (await mcp.client.complete({ ref: { type: "ref/resource", uri }, argument: { name, value } }))
      .completion;
  const { resourceTemplates } = await mcp.client.listResourceTemplates();
  assert.deepEqual(resourceTemplates.map(({ uriTemplate }) => uriTemplate), [
    "nido://vms/{name}",
    "nido://vms/{name}/console",
  ]);
  for (const { uriTemplate } of resourceTemplates) {
    assert.deepEqual(await complete(uriTemplate, "vm-12"), {
      values: ["vm-12", ...Array.from({ length: 10 }, (_, digit) => `vm-12${digit}`)],
      total: 11,
      hasMore: false,
    });
    assert.deepEqual(await complete(uriTemplate, "none"), { values: [], total: 0, hasMore: false });
  }
  const { values, ...rest } = await complete("nido://vms/{name}", "");
  assert.equal(values.length, 100);
  assert.deepEqual(rest, { total: 130, hasMore: true });
  assert.deepEqual((await complete("nido://vms/{name}", "", "other")).values, []);
  const { completion } = await mcp.client.complete({
    ref: { type: "ref/prompt", name: "sandbox_task" },
    argument: { name: "image", value: "" },
  });
  assert.deepEqual(completion.values, []);
});
