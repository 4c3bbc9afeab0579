import assert from "node:assert/strict";
import { picture } from "../../scripts/terminal_picture.ts";
import { fromFileUrl } from "../helpers/paths.ts";

Deno.test("the picture holds its lines as text, and nothing of them as markup", () => {
  const svg = picture([
    { text: "$ nido exec a -- echo '<b>&'", isCommand: true },
    { text: "  <b>&", isCommand: false },
  ]);
  assert.match(svg, /fill="#7ee787" xml:space="preserve">\$ nido exec a -- echo '&lt;b&gt;&amp;'</);
  assert.match(svg, /> {2}&lt;b&gt;&amp;<\/text>\n<\/svg>\n$/);
});

Deno.test("README shows the picture, and it names no command that fails", async () => {
  const [readme, svg] = await Promise.all(
    ["README.md", "docs/terminal.svg"].map((path) =>
      Deno.readTextFile(fromFileUrl(`../../${path}`))
    ),
  );
  assert.match(readme!, /!\[[^\]]+\]\(docs\/terminal\.svg\)/);
  assert.doesNotMatch(svg!, /error:/);
});
