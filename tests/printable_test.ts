import assert from "node:assert/strict";
import { printable } from "../lib/printable.ts";

Deno.test("what steers a terminal is removed, text stays", () => {
  const cases: [string, string][] = [
    ["plain\ttext\nnext ünï 漢字 🐣", "plain\ttext\nnext ünï 漢字 🐣"],
    ["\x1b[31mred\x1b[0m", "red"],
    ["\x1b[2J\x1b[1;1Hhome", "home"],
    ["\x1b]0;title\x07after", "after"],
    ["\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"],
    ["\x1b]52;c;never ended\nnext", "\nnext"],
    ["\x1bPdcs\x1b\\after", "after"],
    ["\x1bcreset\x1b(Bset", "resetset"],
    ["\x9b31mred \x9d0;title\x9cafter", "red after"],
    ["a\rb\x08c\x00d\x7fe\x85f", "abcdef"],
    ["line\r\nnext", "line\nnext"],
    ["abc\u202edef\u2066g", "abcdefg"],
    ["cut \x1b[3", "cut "],
    ["cut \x1b", "cut "],
    ["\x1b\x1b[31mtwice", "twice"],
  ];
  for (const [raw, expected] of cases) assert.equal(printable(raw), expected, JSON.stringify(raw));
});

Deno.test("taking one thing away never leaves another", () => {
  const parts = ["\x1b", "[", "]", "3", "m", "\x07", "\x9b", "\\", "P", "\r", "\n"];
  for (const a of parts) {
    for (const b of parts) {
      for (const c of parts) {
        for (const d of parts) {
          const shown = printable(a + b + c + d);
          // deno-lint-ignore no-control-regex
          assert.doesNotMatch(shown, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
          assert.equal(printable(shown), shown);
        }
      }
    }
  }
});
