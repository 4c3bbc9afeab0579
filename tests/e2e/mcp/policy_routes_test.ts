import assert from "node:assert/strict";
import { load } from "../../../lib/cli/run.ts";
import { operations } from "../../../lib/operations.ts";
import { guide } from "../../../mcp/guide.ts";
import { mayEverRun, type Policy, readPolicy } from "../../../mcp/guards/policy.ts";
import { callOperation, makeService, makeSession } from "../../../mcp/service.ts";
import { toolName } from "../../../mcp/toolsets.ts";
import { nest } from "../../helpers/nest.ts";
import { connect } from "../../mcp/client.ts";

const FULL: Policy = { preset: "full", deny: [] };
const REFUSED = (name: string) => `Cannot run ${name}: the policy of this server does not allow it`;

Deno.test("what a policy denies is no tool, no call, no page and no completion", async () => {
  await using made = await nest();
  await made.spawn("web", { wait: "none" });
  const deny = ["vm.list", "vm.info", "vm.logs", "image.list", "template.list", "system.doctor"];
  const setup = { home: made.home, toolsets: ["all"], policy: { ...FULL, deny } };
  await using mcp = await connect(setup);
  const { tools } = await mcp.client.listTools();
  const listed = tools.map(({ name }) => name);
  assert.deepEqual(listed.filter((name) => deny.some((denied) => toolName(denied) === name)), []);
  await assert.rejects(mcp.call("vm_list"), { code: -32602 });

  const pages: Record<string, string> = {
    "nido://vms": "vm.list",
    "nido://vms/web": "vm.info",
    "nido://vms/web/console": "vm.logs",
    "nido://templates": "template.list",
    "nido://images": "image.list",
    "nido://system/doctor": "system.doctor",
  };
  for (const [uri, name] of Object.entries(pages)) {
    await assert.rejects(mcp.client.readResource({ uri }), {
      message: `MCP error -32603: denied: ${REFUSED(name)}`,
    }, uri);
  }
  await assert.rejects(
    mcp.client.complete({
      ref: { type: "ref/resource", uri: "nido://vms/{name}" },
      argument: { name: "name", value: "w" },
    }),
    { message: `MCP error -32603: ${REFUSED("vm.list")}` },
  );
});

for (const preset of ["full", "no-delete", "read-only"]) {
  Deno.test(`${preset}: every operation is refused by name, or may run, as its effect says`, async () => {
    const policy = await readPolicy(preset);
    const setup = { home: "/nowhere", toolsets: ["all"], workspace: "/", policy };
    const service = await makeService(setup);
    for (const name of Object.keys(operations)) {
      const operation = await load(name);
      const { effect, readsUnless } = operation;
      const may = preset === "full" || effect === "read" || readsUnless !== undefined ||
        (preset === "no-delete" && effect !== "destroy");
      assert.equal(mayEverRun(policy, operation), may, name);
      if (may) continue;
      assert.ok(!service.tools.has(toolName(name)), name);
      const input = inputOf(operation.input.shape);
      await assert.rejects(
        callOperation(service, makeSession(), name, input, { confirmed: true }),
        { code: "denied", message: REFUSED(name) },
        name,
      );
    }
  });
}

/** An input that fits, so that nothing but a policy refuses the call. */
function inputOf(shape: Record<string, { safeParse(value: unknown): { success: boolean } }>) {
  const values = ["web", ["web"], "a.ffffff", "aaaaaaaaaaaa", "./file", "on", 1, {}];
  return Object.fromEntries(
    Object.entries(shape).filter(([, schema]) => !schema.safeParse(undefined).success)
      .map(([key, schema]) => [key, values.find((value) => schema.safeParse(value).success)]),
  );
}

Deno.test("the guide of a server names the tools that it has", async () => {
  const { tools } = await makeService({ home: "/nowhere", readOnly: true });
  const text = await guide(tools);
  const listed = text.slice(text.indexOf("## Tools")).match(/(?<=^- `)\w+/gm);
  assert.deepEqual(listed, [...tools.keys()]);
});

Deno.test("two policies hold at once: --read-only is stronger than a file that allows all", async () => {
  const service = await makeService({ home: "/nowhere", policy: FULL, readOnly: true });
  await assert.rejects(
    callOperation(service, makeSession(), "vm.delete", { names: ["a"] }, { confirmed: true }),
    { code: "denied", message: REFUSED("vm.delete") },
  );
});
