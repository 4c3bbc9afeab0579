import assert from "node:assert/strict";
import { NidoError } from "../../lib/errors.ts";
import { asTools, hintOfCalls } from "../../mcp/hints.ts";
import { refusal } from "../../mcp/refusal.ts";
import { offeredTools } from "../../mcp/tools.ts";

const all = await offeredTools({ toolsets: ["all"], workspace: "/" });
const names = new Set([...all.values()].map(({ operation }) => operation.name));

const CALLS: [hint: string, told: string][] = [
  ["nido wait web", 'vm_wait {"name":"web"}'],
  ["nido list", "vm_list"],
  ["nido ls", "vm_list"],
  ["nido image list", "image_list"],
  ["nido delete a", 'vm_delete {"names":["a"]}'],
  ["nido delete a b", 'vm_delete {"names":["a","b"],"confirm":true}'],
  ["nido prune --dry-run", 'vm_prune {"dryRun":true}'],
  ["nido prune --crashed", 'vm_prune {"crashed":true,"confirm":true}'],
  ["nido delete a --force", 'vm_delete {"names":["a"],"force":true,"confirm":true}'],
  ["nido stop web --force", 'vm_stop {"name":"web","force":true,"confirm":true}'],
  [
    "nido snapshot restore a s1 --disk-only",
    'snapshot_restore {"name":"a","label":"s1","diskOnly":true}',
  ],
  ["nido exec dev -- ls -ld /no/such", 'vm_exec {"name":"dev","command":["ls","-ld","/no/such"]}'],
  ["nido info web, then nido start web", 'vm_info {"name":"web"}, then vm_start {"name":"web"}'],
  ["`nido info web` tells more", '`vm_info {"name":"web"}` tells more'],
];

for (const [hint, told] of CALLS) {
  Deno.test(`${hint}: ${told}`, async () => assert.equal(await hintOfCalls(hint, all), told));
}

const COMMANDS = [
  "nido ssh web",
  "nido mcp --http --show-token",
  "nido register --client cursor",
  "nido completion bash",
  "Free some space, then try again",
  "sudo apt-get install qemu-utils",
];

for (const hint of COMMANDS) {
  Deno.test(`for a person it stays: ${hint}`, async () => {
    assert.equal(await hintOfCalls(hint, all), hint);
  });
}

Deno.test("what this server doesn't offer stays a command", async () => {
  const few = await offeredTools({ tools: ["vm_list"] });
  assert.equal(await hintOfCalls("nido delete web", few), "nido delete web");
  assert.equal(
    await hintOfCalls("nido delete web, then nido list", few),
    "nido delete web, then vm_list",
  );
});

Deno.test("a command that only shows its shape is told by its tool's name", async () => {
  assert.equal(await hintOfCalls("nido spawn --cpus MANY", all), "vm_spawn");
  assert.equal(await hintOfCalls("nido info --help", all), "vm_info");
});

Deno.test("descriptions name tools where there are such", () => {
  assert.equal(asTools("See `nido job wait` and `nido list`.", names), "See job_wait and vm_list.");
  assert.equal(
    asTools("After vm.write_file; not a.b or e.g. this", names),
    "After vm_write_file; not a.b or e.g. this",
  );
  assert.equal(asTools("Try `nido ssh`.", names), "Try `nido ssh`.");
  assert.equal(asTools("Try `nido list`.", new Set()), "Try `nido list`.");
});

Deno.test("an error is told in lines: what happened, the next call, the facts", async () => {
  const said = async (error: unknown) => {
    const { content: [part], isError, structuredContent } = await refusal(error, all);
    assert.deepEqual([isError, structuredContent], [true, undefined]);
    return part?.type === "text" ? part.text : "";
  };
  const error = (extras: ConstructorParameters<typeof NidoError>[2]) =>
    new NidoError("not_found", 'No VM "wed"', extras);
  assert.equal(await said(error({})), 'not_found: No VM "wed"');
  assert.equal(
    await said(error({ hint: "nido info web", details: { nearest: "web", none: undefined } })),
    'not_found: No VM "wed"\nHint: vm_info {"name":"web"}\nDetails: {"nearest":"web"}',
  );
  const long = await said(error({ details: { log: "x".repeat(50_000) } }));
  assert.ok(long.length < 2300, `${long.length}`);
  assert.match(long, /\n\[\.\.\. \d+ characters left out \.\.\.\]\n/);
  assert.match(await said(new TypeError("oh")), /^internal: /);
});
