import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";

Deno.test("what the comparison says of others is cited, and what it says of Nido was measured", async () => {
  const page = async (path: string) => await Deno.readTextFile(fromFileUrl(`../../${path}`));
  const section = (await page("README.md")).split("\n## ")
    .find((part) => part.startsWith("How it compares\n"));
  const rows = section!.split("\n").filter((line) => line.startsWith("| ")).slice(2)
    .map((line) => line.split("|").slice(1, -1));
  assert.ok(rows.length >= 5, `only ${rows.length} tools`);
  const measured = new Set((await page("docs/performance.md")).match(NUMBER));
  for (const [tool, better, different] of rows) {
    assert.match(better!, /\]\(https:/, `${tool}: no page tells it`);
    for (const number of different!.match(NUMBER) ?? []) {
      assert.ok(measured.has(number), `${tool}: ${number} was not measured`);
    }
  }
});

const NUMBER = /\d[\d.]* (?:ms|s|MiB)\b/g;
