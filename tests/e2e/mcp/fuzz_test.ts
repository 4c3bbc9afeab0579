import assert from "node:assert/strict";
import { join } from "node:path";
import { makeService } from "../../../mcp/service.ts";
import { offeredTools } from "../../../mcp/tools.ts";
import { nest } from "../../helpers/nest.ts";
import { connect, textOf } from "../../mcp/client.ts";

const CALLS = 500;
const SEED = 20261123;

Deno.test("500 calls with mutated arguments on a read-only server change nothing and all end", async () => {
  await using made = await nest();
  for (const name of ["web", "db"]) await made.spawn(name, { wait: "none" });
  const random = generator(SEED);
  const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)]!;
  await using mcp = await connect({
    home: made.home,
    toolsets: ["all"],
    readOnly: true,
    answerWithinMs: 2000,
    workspace: made.folder,
  });
  const names = [...(await offeredTools({ toolsets: ["all"], workspace: "/" })).keys()];
  const open = await makeService({ home: made.home, toolsets: ["all"] });
  const before = await treeOf(made.home);
  let answered = 0;
  let refused = 0;
  for (let call = 0; call < CALLS; call++) {
    const name = pick(random() < 0.5 ? [...mcp.service.tools.keys()] : names);
    const properties = open.tools.get(name)?.listed.inputSchema.properties ?? {};
    const mutated = [...Object.keys(properties), pick(STRANGE_KEYS)]
      .filter(() => random() < 0.25).map((key) => [key, pick(VALUES)] as const);
    const right = Object.entries(RIGHT).filter(([key]) => key in properties);
    const input = Object.fromEntries([...right, ...mutated]);
    try {
      const result = await mcp.call(name, input);
      if (result.isError) {
        assert.match(textOf(result), /^[a-z_]+: /, name);
        assert.doesNotMatch(textOf(result), /^internal: /, `${name} ${JSON.stringify(input)}`);
        refused++;
      } else answered++;
    } catch (error) {
      assert.equal((error as { code?: number }).code, -32602, `${name}: ${error}`);
      refused++;
    }
  }
  console.log(`${answered} answered, ${refused} refused`);
  assert.ok(answered > 20 && refused > 100);
  assert.deepEqual(await treeOf(made.home), before);
});

const RIGHT = { name: "web", key: "memory", names: ["web"], command: ["true"] };
const STRANGE_KEYS = ["__proto__", "constructor", "toString", "confirm", "offset", ""];
const VALUES: unknown[] = [
  ...[
    "web",
    "db",
    "../x",
    "web\0",
    "w".repeat(5000),
    "",
    "-rf",
    "$(id)",
    "\ud800",
    "nido://vms",
    ".",
  ],
  ...[0, 1, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER, true, false, null],
  ...[[], ["web"], ["web", "../.."], [[]], {}, { a: "b" }, { __proto__: null }, { a: { b: {} } }],
  ...["/etc/passwd", "running", "ready", "stopped", "console"],
];

/** Numbers that look random and are the same in every run. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Every file of a home with its size and time, but what any reading command may write. */
async function treeOf(home: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(join(home, folder))) {
      const path = join(folder, name);
      if (/^(audit\.jsonl|facts|locks|run)/.test(path)) continue;
      if (isDirectory) {
        await visit(path);
        continue;
      }
      const { size, mtime } = await Deno.lstat(join(home, path));
      found[path] = `${size} ${mtime?.getTime()}`;
    }
  };
  await visit("");
  return found;
}
