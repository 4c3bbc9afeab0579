import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { PassThrough } from "node:stream";
import { wholeLines } from "../../mcp/whole_lines.ts";

/** What comes out, piece by piece, of what goes in. */
async function pieces(given: string[], mostBytes = 1000): Promise<string[]> {
  const source = new PassThrough();
  const lines = wholeLines(source, mostBytes);
  const told: string[] = [];
  lines.on("data", (piece: Buffer) => told.push(piece.toString()));
  for (const piece of given) source.write(piece);
  source.end();
  await new Promise((resolve) => lines.once("end", resolve));
  return told;
}

Deno.test("a line in many pieces comes in one", async () => {
  assert.deepEqual(await pieces(["a", "b", "", "c\n"]), ["abc\n"]);
});

Deno.test("lines that come together stay so; what is begun waits for its end", async () => {
  assert.deepEqual(await pieces(["a\nb\nc", "d\ne\n", "\n", "half"]), ["a\nb\n", "cd\ne\n", "\n"]);
});

Deno.test("a line that is too long passes on, to be refused", async () => {
  assert.deepEqual(await pieces(["abc", "def", "g\nh", "i\n"], 5), ["abcdef", "g\n", "hi\n"]);
});
