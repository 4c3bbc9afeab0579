import assert from "node:assert/strict";
import { load } from "../../lib/cli/run.ts";
import { effectOf, fieldKind, operation } from "../../lib/operation.ts";
import { operations } from "../../lib/operations.ts";
import { instructions } from "../../mcp/instructions.ts";
import { needsHostPath, type Offer, offeredTools } from "../../mcp/tools.ts";
import { chosen, CORE, toolName, toolsets } from "../../mcp/toolsets.ts";
import { refuses } from "../helpers/nest.ts";
import { z } from "zod";

const names = Object.keys(operations);
const all = await Promise.all(names.map(load));
const everything: Offer = { toolsets: ["all"], workspace: "/" };

Deno.test("every operation of the surface is a tool of some toolset, and nothing else is", async () => {
  const tools = await offeredTools(everything);
  const wanted = all.filter(({ surfaces }) => surfaces.includes("mcp"));
  assert.deepEqual(
    [...tools.keys()],
    wanted.map(({ name }) => toolName(name)),
  );
  const inSets = new Set(Object.values(toolsets()).flat());
  for (const { name } of wanted) assert.ok(inSets.has(name), name);
});

Deno.test("a tool says what its operation says, with all four hints", async () => {
  for (const { name, operation, listed } of (await offeredTools(everything)).values()) {
    assert.match(name, /^[a-z]+_[a-z_]+$/);
    assert.equal(listed.title, operation.summary);
    assert.ok(listed.description?.startsWith(operation.summary), name);
    assert.doesNotMatch(listed.description!, /`nido/, name);
    const effect = effectOf(operation);
    assert.deepEqual(listed.annotations, {
      title: operation.summary,
      readOnlyHint: effect === "read",
      destructiveHint: effect === "destroy",
      idempotentHint: effect === "read" || operation.idempotent,
      openWorldHint: operation.openWorld ?? false,
    });
  }
});

Deno.test("schemas are closed objects' shapes: flat inputs, no keys of the command line", async () => {
  for (const { name, operation, listed } of (await offeredTools(everything)).values()) {
    const properties = listed.inputSchema.properties ?? {};
    assert.equal(listed.inputSchema.type, "object", name);
    for (
      const [key, schema] of Object.entries(operation.input.shape as Record<string, z.ZodType>)
    ) {
      const isListed = !["commandLine", "rare"].includes(fieldKind(schema) ?? "");
      assert.equal(key in properties, isListed, `${name}: ${key}`);
    }
    const required = z.toJSONSchema(operation.input, { io: "input" }).required ?? [];
    assert.deepEqual(listed.inputSchema.required ?? [], required, name);
    for (const [key, schema] of Object.entries(properties)) {
      assert.ok((schema as { description?: string }).description, `${name}: ${key}`);
    }
    assert.equal(listed.outputSchema?.type, "object", name);
    assert.doesNotMatch(JSON.stringify(listed), /9007199254740991|\$schema/, name);
  }
});

Deno.test("core has what a whole job needs", async () => {
  const core = [...(await offeredTools({})).keys()];
  const there = CORE.filter((name) => name in operations && !/load$/.test(name));
  assert.deepEqual(core.toSorted(), there.map(toolName).toSorted());
  const withFiles = [...(await offeredTools({ workspace: "/" })).keys()];
  assert.deepEqual(
    withFiles.filter((name) => !core.includes(name)),
    ["vm_upload", "vm_download"],
  );
});

Deno.test("without a workspace no tool takes a path of this machine", async () => {
  for (const { operation, listed } of (await offeredTools({ toolsets: ["all"] })).values()) {
    assert.ok(!needsHostPath(operation), operation.name);
    const kept = Object.keys(listed.inputSchema.properties ?? {});
    for (const key of kept.filter((key) => key in operation.input.shape)) {
      assert.notEqual(fieldKind(operation.input.shape[key]), "hostPath", operation.name);
    }
  }
});

Deno.test("read-only wins over everything", async () => {
  const tools = await offeredTools({ ...everything, tools: ["vm_delete"], readOnly: true });
  assert.ok(tools.has("vm_list") && tools.has("system_doctor"));
  for (const { name, listed } of tools.values()) {
    assert.equal(listed.annotations?.readOnlyHint, true, name);
  }
});

Deno.test("toolsets are added to core, single tools stand alone", () => {
  assert.deepEqual(chosen({}), names.filter((name) => CORE.includes(name)));
  assert.ok(chosen({ toolsets: ["config"] }).includes("config.list"));
  assert.ok(chosen({ toolsets: ["config"] }).includes("vm.spawn"));
  assert.deepEqual(chosen({ tools: ["vm.list", "vm_exec"] }), ["vm.list", "vm.exec"]);
  assert.deepEqual(chosen({ toolsets: ["all"] }), names);
});

Deno.test("a misspelt toolset or tool is an error that names the nearest", async () => {
  await refuses(
    Promise.try(() => chosen({ toolsets: ["imgae"] })),
    "invalid_input",
    'There is no toolset "imgae"; the nearest is "image"',
  );
  await refuses(
    Promise.try(() => chosen({ tools: ["vm_exek"] })),
    "invalid_input",
    'There is no tool "vm_exek"; the nearest is "vm_exec"',
  );
  await refuses(
    Promise.try(() => chosen({ toolsets: ["constructor"] })),
    "invalid_input",
    'There is no toolset "constructor"',
  );
});

Deno.test("an operation that only reads until it is asked for more is a reading tool", async () => {
  const doctor = await load("system.doctor");
  assert.equal(effectOf(doctor, { fix: true }), "change");
  assert.equal(effectOf(doctor, { fix: false }), "read");
  const plain = operation({
    name: "vm.plain",
    summary: "Change it",
    effect: "change",
    input: z.strictObject({}),
    output: z.strictObject({}),
    run: () => Promise.resolve({}),
  });
  assert.equal(effectOf(plain), "change");
});

const KIB = 1024;

Deno.test("tools/list stays small", async () => {
  const measured: [string, Offer][] = [
    ["core", {}],
    ...[...Object.keys(toolsets())].map((set): [string, Offer] => [
      `${set} with a workspace`,
      { toolsets: [set], workspace: "/" },
    ]),
  ];
  for (const [set, offer] of measured) {
    const tools = await offeredTools(offer);
    const listed = [...tools.values()].map(({ listed }) => listed);
    const seen = listed.map(({ name, description, inputSchema }) => ({
      name,
      description,
      inputSchema,
    }));
    const [whole, visible] = [listed, seen].map((tools) =>
      new TextEncoder().encode(JSON.stringify({ tools })).length
    );
    console.log(
      `tools/list ${set}: ${tools.size} tools, ${whole} bytes, ${visible} of them seen by a model ` +
        `(about ${Math.round(visible! / 4)} tokens)`,
    );
    if (set !== "core") continue;
    assert.ok(whole! <= 32 * KIB, `core takes ${whole} bytes`);
    assert.ok(visible! <= 14 * KIB, `a model sees ${visible} bytes of core`);
    assert.ok(tools.size >= 20 && tools.size <= 24, `core has ${tools.size} tools`);
  }
});

Deno.test("the instructions are short", () => {
  assert.ok(new TextEncoder().encode(instructions).length <= KIB);
});
