import assert from "node:assert/strict";
import { findViolations, readSources } from "../../scripts/check_layers.ts";
import { fromFileUrl } from "../helpers/paths.ts";

const verb = "export default operation({});\n";

/** The files blamed when one file imports another. */
function blamed(from: string, to: string, dynamic = false): boolean {
  const path = `${"../".repeat(from.split("/").length - 1) || "./"}${to}`;
  const line = dynamic ? `await import("${path}");\n` : `import { x } from "${path}";\n`;
  const isVerb = (file: string) => /\/(spawn|stop|import|create|set)\.ts$/.test(file);
  const sources = [from, to].map((file) => ({
    path: file,
    text: (file === from ? line : "") + (isVerb(file) ? verb : ""),
  }));
  return findViolations(sources).length > 0;
}

Deno.test("imports run one way", () => {
  const allowed = [
    ["lib/vm/spawn.ts", "lib/vm/vm.ts"],
    ["lib/vm/spawn.ts", "lib/vm/stop.ts"],
    ["lib/vm/spawn.ts", "lib/image/import.ts"],
    ["lib/template/create.ts", "lib/vm/stop.ts"],
    ["lib/image/image.ts", "lib/vm/vm.ts"],
    ["lib/vm/vm.ts", "lib/qemu/qmp.ts"],
    ["lib/qemu/qmp.ts", "lib/host/process.ts"],
    ["lib/operations.ts", "lib/vm/spawn.ts"],
    ["lib/cli/run.ts", "lib/operations.ts"],
    ["lib/cli/run.ts", "lib/store/home.ts"],
    ["lib/cli/console.ts", "lib/vm/vm.ts"],
    ["lib/image/resolve.ts", "lib/image/import.ts"],
    ["main.ts", "lib/cli/run.ts"],
  ];
  const forbidden = [
    ["lib/store/lock.ts", "lib/qemu/qmp.ts"],
    ["lib/qemu/qmp.ts", "lib/vm/vm.ts"],
    ["lib/vm/vm.ts", "lib/vm/spawn.ts"],
    ["lib/image/import.ts", "lib/vm/spawn.ts"],
    ["lib/vm/spawn.ts", "lib/operations.ts"],
    ["lib/vm/spawn.ts", "lib/cli/run.ts"],
    ["lib/cli/run.ts", "lib/vm/vm.ts"],
    ["lib/cli/console.ts", "lib/vm/stop.ts"],
    ["lib/cli/run.ts", "lib/vm/spawn.ts"],
    ["mcp/server.ts", "lib/vm/vm.ts"],
    ["lib/errors.ts", "lib/store/home.ts"],
  ];
  for (const [from, to] of allowed) assert.ok(!blamed(from!, to!), `${from} may import ${to}`);
  for (const [from, to] of forbidden) {
    assert.ok(blamed(from!, to!), `${from} must not import ${to}`);
    assert.ok(blamed(from!, to!, true), `${from} must not import ${to} later either`);
  }
});

Deno.test("only one file starts programs, and no file is long", () => {
  const [program] = findViolations([{ path: "lib/vm/vm.ts", text: "new Deno.Command('x')" }]);
  assert.equal(
    program?.rule,
    "lib/host/process.ts is the only user of Deno.Command and node:child_process",
  );
  assert.deepEqual(
    findViolations([{ path: "lib/host/process.ts", text: "new Deno.Command('x')" }]),
    [],
  );
  const [long] = findViolations([{ path: "lib/vm/vm.ts", text: "\n".repeat(401) }]);
  assert.deepEqual([long?.imports, long?.rule], ["401 lines", "A file has at most 400 lines"]);
});

Deno.test("the project's own files keep the rules", async () => {
  const sources = await readSources(fromFileUrl("../.."), ["lib", "mcp"]);
  assert.ok(sources.length > 20);
  assert.deepEqual(findViolations(sources), []);
});
