import assert from "node:assert/strict";
import { Nest } from "../../helpers/guest.ts";
import { assertShown, runBlocks } from "./shell_blocks.ts";

Deno.test("README's shell blocks run as they stand, and say what README shows", async (t) => {
  await using nest = await Nest.withGuestImage();
  await runBlocks("README.md", nest, t);
});

Deno.test("the skill's shell blocks run as they stand, and say what it shows", async (t) => {
  await using nest = await Nest.shared("work");
  await runBlocks("docs/skills/nido/SKILL.md", nest, t);
});

Deno.test("an output that a page does not show is found", () => {
  assertShown('"dev" is up (3.5 s)\nnext 127.0.0.1:34191\n', ['"dev" is up (12 s)']);
  assert.throws(() => assertShown("one\ntwo\n", ["two", "one"]), /the page shows/);
});
