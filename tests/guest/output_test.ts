import assert from "node:assert/strict";
import { HeadTail } from "../../lib/guest/output.ts";
import { readPreamble } from "../../lib/guest/preamble.ts";

const IN_FOLDER = { asUser: false, inFolder: true };
const bytes = (text: string) => new TextEncoder().encode(text);

function captured(limit: number, ...chunks: (string | Uint8Array)[]) {
  const kept = new HeadTail(limit);
  for (const chunk of chunks) kept.add(typeof chunk === "string" ? bytes(chunk) : chunk);
  return kept.result();
}

Deno.test("output within the limit is kept whole", () => {
  assert.deepEqual(captured(10), { text: "", bytes: 0, truncated: false });
  assert.deepEqual(captured(10, "abc"), { text: "abc", bytes: 3, truncated: false });
  assert.deepEqual(captured(10, "abcde", "fghij"), {
    text: "abcdefghij",
    bytes: 10,
    truncated: false,
  });
  assert.deepEqual(captured(5, "abcde"), { text: "abcde", bytes: 5, truncated: false });
  assert.equal(captured(10, "\uFEFFx").text, "\uFEFFx");
});

Deno.test("longer output keeps its beginning and its end", () => {
  assert.deepEqual(captured(10, "abcdefghijk"), {
    text: "abcde\n[... 1 bytes left out ...]\nghijk",
    bytes: 11,
    truncated: true,
  });
  assert.equal(
    captured(8, "one\n", "x".repeat(100), "two\n").text,
    "one\n[... 100 bytes left out ...]\ntwo\n",
  );
  assert.equal(captured(0, "abc").text, "[... 3 bytes left out ...]\n");
});

Deno.test("how the output was cut into chunks makes no difference", () => {
  const text = Array.from({ length: 400 }, (_, index) => `${index} é🐦\n`).join("");
  const whole = captured(101, text);
  assert(whole.truncated);
  for (const size of [1, 2, 3, 7, 50, 51, 101, 1000]) {
    const kept = new HeadTail(101);
    const all = bytes(text);
    for (let at = 0; at < all.length; at += size) kept.add(all.subarray(at, at + size));
    assert.deepEqual(kept.result(), whole);
  }
});

Deno.test("no character is cut in two, and the bytes left out are counted exactly", () => {
  const text = "🐦".repeat(50);
  for (let limit = 2; limit < 40; limit++) {
    const { text: kept } = captured(limit, text);
    assert(!kept.includes("\uFFFD"), kept);
    const left = Number(/\[\.\.\. (\d+) bytes/.exec(kept)![1]);
    assert.equal(left + (kept.match(/🐦/gu)?.length ?? 0) * 4, 200);
  }
});

Deno.test("the wrapper's lines are taken out of stderr however they arrive", async () => {
  const stream = bytes("motd\xff\nnido-1 4711\nsudo: hi\nnido-1 in\nfirst\nnido-1 99\n");
  for (const size of [1, 2, 5, 1000]) {
    const passed: Uint8Array[] = [];
    const preamble = readPreamble("nido-1", IN_FOLDER, (chunk) => void passed.push(chunk.slice()));
    for (let at = 0; at < stream.length; at += size) preamble.sink(stream.subarray(at, at + size));
    preamble.end();
    assert.equal(await preamble.pid, 4711);
    assert.deepEqual([preamble.told("in"), preamble.told("out")], [true, false]);
    assert.equal(
      await new Blob(passed as BlobPart[]).text(),
      "motdÿ\nsudo: hi\nfirst\nnido-1 99\n",
    );
  }
});

Deno.test("a stderr without the wrapper's lines passes whole, and tells no process", async () => {
  let passed = "";
  const preamble = readPreamble(
    "nido-1",
    { asUser: false, inFolder: false },
    (chunk) => void (passed += new TextDecoder().decode(chunk)),
  );
  preamble.sink(bytes("This account is not available.\n"));
  assert.equal(passed, "");
  preamble.end();
  assert.equal(passed, "This account is not available.\n");
  assert.equal(await preamble.pid, undefined);
  const refused = readPreamble("nido-1", IN_FOLDER);
  refused.sink(bytes("nido-1 12\nnido-1 out\n"));
  assert(refused.told("out"));
});
