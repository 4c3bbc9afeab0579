import assert from "node:assert/strict";
import { page } from "../../docs/markdown.ts";
import type { Nest } from "../../helpers/guest.ts";
import { fromFileUrl } from "../../helpers/paths.ts";

/** A block to run, and the lines that the page shows right below it. */
interface Step {
  script: string;
  shown: string[];
}

/** Runs a page's shell blocks in order, as they stand; each must say what the page shows. */
export async function runBlocks(path: string, nest: Nest, t: Deno.TestContext): Promise<void> {
  const { text } = await page(path);
  const steps = runnable(text);
  assert.ok(steps.length >= 6, `only ${steps.length} blocks were found in ${path}`);
  for (const { script, shown } of steps) {
    const ran = await t.step(script.split("\n")[0]!, async () => {
      const { code, stdout, stderr } = await new Deno.Command("sh", {
        args: ["-euc", script],
        cwd: nest.folder,
        env: {
          NIDO_HOME: nest.home,
          PATH: `${fromFileUrl("../../scripts")}:${Deno.env.get("PATH")}`,
        },
        stdin: "null",
      }).output();
      const said = new TextDecoder().decode(stdout);
      assert.equal(code, 0, `${script}\n${new TextDecoder().decode(stderr)}${said}`);
      assertShown(said, shown);
    });
    if (!ran) return; // what follows needs it
  }
}

function runnable(text: string): Step[] {
  const pairs = /^```sh\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?/gms;
  return [...text.matchAll(pairs)].map(([, script = "", shown = ""]) => ({
    script: script.trimEnd(),
    shown: shown.split("\n").filter((line) => line !== "" && !/^ +accelerator /.test(line)),
  }));
}

/** Every line that is shown was said, in that order; numbers and blanks differ from run to run. */
export function assertShown(said: string, shown: string[]): void {
  const lines = said.split("\n").map(plain);
  let from = 0;
  for (const line of shown) {
    const at = lines.indexOf(plain(line), from);
    assert.ok(at >= 0, `the page shows ${JSON.stringify(line)}, and this was said:\n${said}`);
    from = at + 1;
  }
}

function plain(line: string): string {
  return line.replaceAll(/\d[\d.:-]*/g, "0").replaceAll(/\s+/g, " ").trim();
}
