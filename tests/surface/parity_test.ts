import assert from "node:assert/strict";
import { fieldsOf } from "../../lib/cli/fields.ts";
import { load } from "../../lib/cli/run.ts";
import { wordsOf } from "../../lib/cli/words.ts";
import { fieldKind } from "../../lib/operation.ts";
import { operations } from "../../lib/operations.ts";
import { callOperation, makeService, makeSession } from "../../mcp/service.ts";
import { toolName } from "../../mcp/toolsets.ts";
import { nido, withHome } from "../helpers/command.ts";

const names = Object.keys(operations);
const all = await Promise.all(names.map(load));
const service = (home: string) => makeService({ home, toolsets: ["all"], workspace: "/" });

Deno.test("the command line and MCP cover the same list", async () => {
  const { tools } = await service("/nowhere");
  const onMcp = all.filter(({ surfaces }) => surfaces.includes("mcp")).map(({ name }) => name);
  assert.deepEqual([...tools.values()].map(({ operation }) => operation.name), onMcp);
  const { stdout } = await nido(["help"]);
  const commands = stdout.match(/^ {2}\w[\w-]*( [a-z][\w-]*)?/gm)!.map((line) => line.trim());
  const missing = names.filter((name) => !commands.includes(wordsOf(name)));
  assert.deepEqual(missing, [], "help lists every operation");
});

Deno.test("what only the command line has is known by name", () => {
  assert.deepEqual(
    all.filter(({ surfaces }) => !surfaces.includes("mcp")).map(({ name }) => name),
    ["image.build", "registry.build", "system.update", "system.uninstall", "config.set"],
  );
});

Deno.test("both have the same inputs, but what is for a terminal", async () => {
  const { tools } = await service("/nowhere");
  for (const operation of all) {
    const keys = Object.keys(operation.input.shape);
    assert.deepEqual(fieldsOf(operation).map(({ key }) => key).toSorted(), keys.toSorted());
    const tool = tools.get(toolName(operation.name));
    if (!tool) continue;
    const left = keys.filter((key) => !(key in tool.listed.inputSchema.properties!));
    for (const key of left) {
      const kind = fieldKind(operation.input.shape[key]);
      assert.ok(kind === "commandLine" || kind === "rare", `${operation.name}: ${key}`);
    }
  }
});

Deno.test("the same call gives the same data and the same error", async () => {
  await withHome(async (home) => {
    const mcp = await service(home);
    const ask = (name: string, input = {}) =>
      callOperation(mcp, makeSession(), name, input).then(
        (data) => ({ data }),
        ({ code, message }) => ({ error: { code, message } }),
      );
    const said = async (...args: string[]) => {
      const { stdout } = await nido([...args, "--json"], { home });
      const { data, error } = JSON.parse(stdout);
      return error ? { error: { code: error.code, message: error.message } } : { data };
    };
    assert.deepEqual(await said("list"), await ask("vm.list"));
    assert.deepEqual(
      await said("config", "get", "memory"),
      await ask("config.get", { key: "memory" }),
    );
    assert.deepEqual(await said("info", "none"), await ask("vm.info", { name: "none" }));
  });
});

Deno.test("nido mcp --describe prints the whole surface", async () => {
  const { code, stdout } = await nido(["mcp", "--describe", "--toolsets", "all"]);
  assert.equal(code, 0);
  const { tools, resources, resourceTemplates, prompts, instructions, server } = JSON.parse(stdout);
  const here = await makeService({ home: "/nowhere", toolsets: ["all"] });
  assert.deepEqual(
    tools,
    JSON.parse(JSON.stringify([...here.tools.values()].map((tool) => tool.listed))),
  );
  assert.deepEqual([resources.length, resourceTemplates.length, prompts.length], [5, 2, 2]);
  assert.match(instructions, /^Nido gives you real virtual machines/);
  assert.equal(server.name, "nido");
});
