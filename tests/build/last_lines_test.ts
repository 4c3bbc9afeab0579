import assert from "node:assert/strict";
import { LastLines } from "../../lib/build/last_lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("lines are told as they come, and the last of both streams are kept", () => {
  const told: string[] = [];
  const lines = new LastLines(3, (line) => told.push(line));
  lines.add("stdout", bytes("one\ntw"));
  lines.add("stderr", bytes("warning\r\n"));
  lines.add("stdout", bytes("o\n\n  \nthr"));
  assert.deepEqual(told, ["one", "warning", "two"]);
  lines.add("stderr", bytes("end"));
  assert.deepEqual(lines.end(), ["two", "thr", "end"]);
  assert.deepEqual(told, ["one", "warning", "two", "thr", "end"]);
});

Deno.test("a letter that comes in two pieces is one letter", () => {
  const lines = new LastLines(3, () => {});
  const [first, ...rest] = bytes("ä\n");
  lines.add("stdout", new Uint8Array([first!]));
  lines.add("stdout", new Uint8Array(rest));
  assert.deepEqual(lines.end(), ["ä"]);
});

Deno.test("a line without an end takes no memory", () => {
  const lines = new LastLines(3, () => {});
  for (let part = 0; part < 100; part++) lines.add("stdout", bytes("x".repeat(10_000)));
  lines.add("stdout", bytes("y"));
  assert.deepEqual(lines.end(), ["x".repeat(499) + "y"]);
});
