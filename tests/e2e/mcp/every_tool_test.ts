import assert from "node:assert/strict";
import { join } from "node:path";
import { bootDisk, IDLE } from "../../helpers/boot_sector.ts";
import { nest } from "../../helpers/nest.ts";
import { connect, textOf } from "../../mcp/client.ts";

type Input = Record<string, unknown>;

const JOB = "still.ffffff";
/** Every tool, in an order in which it can succeed on machines that have no guest system. */
const SUCCESSES: [tool: string, input: Input][] = [
  ["vm_spawn", { name: "one", wait: "running" }],
  ["vm_spawn", { name: "still", wait: "none" }],
  ["vm_list", {}],
  ["vm_info", { name: "one" }],
  ["vm_logs", { name: "one" }],
  ["vm_wait", { name: "one", for: "running" }],
  ["vm_ssh_info", { name: "one" }],
  ["vm_display", { name: "one", show: "on" }],
  ["vm_set", { name: "one", labels: { a: "b" } }],
  ["vm_pause", { name: "one" }],
  ["vm_suspend", { name: "one" }],
  ["vm_resume", { name: "one" }],
  ["vm_start", { name: "still", wait: "running" }],
  ["vm_stop", { name: "still", force: true, confirm: true }],
  ["vm_fork", { name: "one", into: ["two"] }],
  ["snapshot_create", { name: "still", label: "s1" }],
  ["snapshot_list", { name: "still" }],
  ["snapshot_restore", { name: "still", label: "s1" }],
  ["snapshot_delete", { name: "still", labels: ["s1"] }],
  ["template_create", { vm: "still", name: "made", keepIdentity: true }],
  ["template_list", {}],
  ["template_info", { name: "made" }],
  ["template_verify", { name: "made" }],
  ["template_export", { name: "made", file: "./made.nido" }],
  ["template_import", { name: "again", file: "./made.nido" }],
  ["template_delete", { name: "again" }],
  ["image_import", { file: "./disk.raw", name: "other" }],
  ["image_list", {}],
  ["image_info", { name: "other" }],
  ["image_verify", { name: "other" }],
  ["image_search", {}],
  ["cache_list", {}],
  ["cache_prune", { confirm: true, dryRun: true }],
  ["image_remove", { name: "other" }],
  ["vm_delete", { names: ["two"], force: true, confirm: true }],
  ["vm_prune", { confirm: true, dryRun: true }],
  ["system_doctor", {}],
  ["system_version", {}],
  ["system_permissions", {}],
  ["config_get", { key: "memory" }],
  ["config_list", {}],
];

/** What needs a guest system, and where such a guest is missing. */
const FAILURES: [tool: string, input: Input][] = [
  ["image_warm", { name: "none" }],
  ["template_warm", { name: "none" }],
  ["vm_restart", { name: "none" }],
  ["vm_exec", { name: "still", command: ["true"] }],
  ["vm_read_file", { name: "still", path: "/x" }],
  ["vm_write_file", { name: "still", path: "/x", content: "" }],
  ["vm_upload", { name: "still", source: ".", destination: "/tmp" }],
  ["vm_download", { name: "still", source: "/etc", destination: "./etc" }],
  ["job_list", { name: "still" }],
  ["job_wait", { job: JOB }],
  ["job_output", { job: JOB }],
  ["job_kill", { job: JOB }],
];

Deno.test("every tool answers: its result fits its schema, or its error tells what to do", async () => {
  await using made = await nest();
  const workspace = await Deno.makeTempDir({ dir: made.folder });
  await Deno.writeFile(join(workspace, "disk.raw"), bootDisk(IDLE));
  await using mcp = await connect({ home: made.home, toolsets: ["all"], workspace });

  for (const [name, input] of SUCCESSES) {
    const result = await mcp.call(name, input); // the client checks it against the schema
    const text = textOf(result);
    assert.ok(!result.isError, `${name}: ${text}`);
    assert.deepEqual(JSON.parse(text), result.structuredContent, name);
    assert.equal(result.structuredContent?.pending, undefined, name);
  }
  for (const [name, input] of FAILURES) {
    const result = await mcp.call(name, input);
    const text = textOf(result);
    assert.deepEqual([result.isError, result.structuredContent], [true, undefined], name);
    const [, next] = /^(?:wrong_state|not_found): [^\n]+\nHint: (\w+)/.exec(text) ?? [];
    assert.ok(next && mcp.service.tools.has(next), `${name}: ${text}`);
  }
  const elsewhere = ["image_pull", "image_refresh", "cache_info", "cache_remove", "vm_run"];
  assert.deepEqual(
    new Set([...[...SUCCESSES, ...FAILURES].map(([name]) => name), ...elsewhere]),
    new Set(mcp.service.tools.keys()),
  );
});
