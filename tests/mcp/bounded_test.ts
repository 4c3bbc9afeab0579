import assert from "node:assert/strict";
import { z } from "zod";
import { operation } from "../../lib/operation.ts";
import { bounded, headAndTail } from "../../mcp/bounded.ts";
import type { Tool } from "../../mcp/tools.ts";

const KIB = 1024;

/** A tool whose operation only lends its name and its shapes. */
function toolOf(name: string, shapes: { input?: z.ZodRawShape; output?: z.ZodRawShape }): Tool {
  const made = operation({
    name,
    summary: "Give nothing back",
    effect: "read",
    input: z.strictObject(shapes.input ?? {}),
    output: z.strictObject(shapes.output ?? {}),
    run: () => Promise.resolve({}),
  });
  const toolName = name.replace(".", "_");
  const schema = { type: "object" as const, properties: {} };
  return {
    name: toolName,
    operation: made,
    listed: { name: toolName, inputSchema: schema, outputSchema: schema },
  };
}

const plain = toolOf("vm.plain", {});
const ranged = toolOf("vm.ranged", { input: { offset: z.int() } });
const listing = toolOf("vm.list", { output: { vms: z.array(z.unknown()) } });

Deno.test("a long text keeps its beginning and its end, and counts what is between them", () => {
  const text = `${"a".repeat(100)}${"b".repeat(300)}${"c".repeat(100)}`;
  assert.equal(
    headAndTail(text, 100),
    `${"a".repeat(50)}\n[... 400 characters left out ...]\n${"c".repeat(50)}`,
  );
  const [head = "", tail = ""] = headAndTail(text, 101).split(/\n.*\n/);
  assert.deepEqual([head.length, tail.length], [50, 50]);
  assert.equal(headAndTail("", 100), "");
});

Deno.test("a text that is hardly too long stays whole: the line would be longer than the cut", () => {
  const whole = "x".repeat(100 + 64);
  assert.equal(headAndTail(whole, 100), whole);
  assert.match(headAndTail(`${whole}x`, 100), /\n\[\.\.\. 65 characters left out \.\.\.\]\n/);
});

Deno.test("a cut never parts the halves of a character", () => {
  const birds = "🐦".repeat(200); // two units each: 51 lies in the middle of one
  const cut = headAndTail(birds, 102);
  assert.ok(cut.isWellFormed());
  assert.equal(
    cut,
    `${"🐦".repeat(25)}\n[... 300 characters left out ...]\n${"🐦".repeat(25)}`,
  );
  assert.equal(cut.length + 300 - "\n[... 300 characters left out ...]\n".length, birds.length);
});

Deno.test("texts are cut wherever they are in a result, and numbers stay", () => {
  const long = "x".repeat(20 * KIB);
  const cut = headAndTail(long, 8 * KIB);
  assert.ok(cut.length < 9 * KIB);
  const result = { a: long, b: { c: [long, 1, null, true] }, stdoutBytes: 20 * KIB };
  assert.deepEqual(bounded(plain, result), {
    a: cut,
    b: { c: [cut, 1, null, true] },
    stdoutBytes: 20 * KIB,
  });
});

Deno.test("what was asked for by range may be longer, but not for ever", () => {
  const page = "x".repeat(64 * KIB);
  assert.deepEqual(bounded(ranged, { content: page }), { content: page });
  const { content } = bounded(ranged, { content: page.repeat(4) }) as { content: string };
  assert.ok(content.length < 97 * KIB, `${content.length}`);
  assert.match(content, /\n\[\.\.\. 163840 characters left out \.\.\.\]\n/);
});

Deno.test("what JSON doesn't know is not sent", () => {
  const at = new Date(0);
  assert.deepEqual(bounded(plain, { at, gone: undefined }), { at: "1970-01-01T00:00:00.000Z" });
});

Deno.test("a list that fits is told as it is; a longer one comes in pages of a hundred", () => {
  const vms = Array.from({ length: 250 }, (_, index) => ({ name: `vm-${index}` }));
  assert.deepEqual(bounded(listing, { vms: [] }), { vms: [] });
  assert.deepEqual(bounded(listing, { vms: vms.slice(0, 100) }), { vms: vms.slice(0, 100) });
  assert.deepEqual(bounded(listing, { vms }), {
    vms: vms.slice(0, 100),
    total: 250,
    nextOffset: 100,
    hint: 'vm_list {"offset":100} for the rest',
  });
  assert.deepEqual(bounded(listing, { vms }, 100).nextOffset, 200);
  assert.deepEqual(bounded(listing, { vms }, 200), { vms: vms.slice(200), total: 250 });
});

Deno.test("an offset beyond the end gives an empty page that says how many there are", () => {
  const vms = [{ name: "only" }];
  for (const offset of [1, 2, 1_000_000]) {
    assert.deepEqual(bounded(listing, { vms }, offset), { vms: [], total: 1 });
  }
});

Deno.test("pages hold fewer rows when the rows are long, and at least one", () => {
  const row = (kib: number) => ({ name: "x".repeat(kib * KIB) });
  const pages = (vms: unknown[]) => {
    const lengths: number[] = [];
    for (let offset: number | undefined = 0; offset !== undefined;) {
      const page = bounded(listing, { vms }, offset) as { vms: unknown[]; nextOffset?: number };
      lengths.push(page.vms.length);
      assert.ok(lengths.length <= vms.length, "it never ends");
      offset = page.nextOffset;
    }
    return lengths;
  };
  assert.deepEqual(pages(Array.from({ length: 15 }, () => row(7))), [6, 6, 3]);
  const wide = { cells: Array.from({ length: 10 }, () => "x".repeat(7 * KIB)) }; // 70 KiB in one row
  assert.deepEqual(pages([wide, wide]), [1, 1]);
});

Deno.test("a list in another result is shortened, and the result says so", () => {
  const problems = Array.from({ length: 120 }, (_, index) => `problem ${index}`);
  assert.deepEqual(bounded(plain, { problems, few: ["a"] }), {
    problems: problems.slice(0, 100),
    few: ["a"],
    hint: "problems has 120 entries; these are the first 100",
  });
  const { hint } = bounded(plain, { problems, hint: "what the operation says" });
  assert.equal(hint, "what the operation says");
});
