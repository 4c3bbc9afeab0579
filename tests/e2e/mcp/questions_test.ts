import assert from "node:assert/strict";
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { type Nest, nest } from "../../helpers/nest.ts";
import { connect, type Connected } from "../../mcp/client.ts";

type Answer = { action: string; content?: Record<string, unknown> };

/** A client whose person gives one answer, and how often that person was asked. */
async function asked(made: Nest, answer: () => Answer): Promise<{ mcp: Connected; count: number }> {
  const client = new Client({ name: "asking", version: "1" }, {
    capabilities: { elicitation: { form: {} } },
  });
  const state = { count: 0, mcp: undefined as unknown as Connected };
  client.setRequestHandler(ElicitRequestSchema, () => {
    state.count++;
    return answer();
  });
  state.mcp = await connect({ home: made.home }, { client });
  return state;
}

const FORCED = { names: ["one"], force: true, confirm: true };
const REFUSED =
  "denied: Cannot run vm.delete: the user refused it\nHint: Ask the user what to do instead";

const REFUSALS: [string, Answer][] = [
  ["declines", { action: "decline" }],
  ["cancels", { action: "cancel" }],
  ["accepts, but says not to proceed", { action: "accept", content: { proceed: false } }],
];

for (const [how, answer] of REFUSALS) {
  Deno.test(`a person who ${how} is heard`, async () => {
    await using made = await nest();
    await made.spawn("one", { wait: "none" });
    const state = await asked(made, () => answer);
    await using mcp = state.mcp;
    assert.equal(await mcp.error("vm_delete", FORCED), REFUSED);
    assert.equal(state.count, 1);
    assert.equal((await made.list()).length, 1);
  });
}

Deno.test("nobody is asked of what needs no confirmation, or was not confirmed", async () => {
  await using made = await nest();
  for (const name of ["one", "two"]) await made.spawn(name, { wait: "none" });
  const state = await asked(made, () => ({ action: "decline" }));
  await using mcp = state.mcp;
  await mcp.data("vm_delete", { names: ["two"] });
  assert.match(
    await mcp.error("vm_delete", { ...FORCED, confirm: false }),
    /^denied: Cannot run vm\.delete: it would destroy one by force\nHint: vm_delete \{.*"confirm":true\}/,
  );
  assert.match(await mcp.error("vm_delete", { names: ["one"], force: true }), /^denied: /);
  assert.equal(state.count, 0);
});

Deno.test("a question that can't be asked is not the only gate: what was confirmed is done", async () => {
  await using made = await nest();
  await made.spawn("one", { wait: "none" });
  const state = await asked(made, () => {
    throw new Error("no window to ask in");
  });
  await using mcp = state.mcp;
  assert.deepEqual(await mcp.data("vm_delete", FORCED), { deleted: ["one"] });
  assert.equal(state.count, 1);
});

Deno.test("deleting all that match is confirmed, whether or not it forces; looking is not", async () => {
  await using made = await nest();
  await made.spawn("one", { wait: "none" });
  await using mcp = await connect({ home: made.home, toolsets: ["all"] });
  assert.equal(
    await mcp.error("vm_prune"),
    "denied: Cannot run vm.prune: it would destroy all that match\n" +
      'Hint: vm_prune {"confirm":true}, when that is meant',
  );
  await mcp.data("vm_prune", { dryRun: true });
  assert.equal((await made.list()).length, 1);
  assert.match(
    await mcp.error("vm_stop", { name: "one", force: true }),
    /^denied: Cannot run vm\.stop: it would act by force on one\n/,
  );
});
