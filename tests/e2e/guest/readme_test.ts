import assert from "node:assert/strict";
import { page } from "../../docs/markdown.ts";
import { Nest } from "../../helpers/guest.ts";
import { fromFileUrl } from "../../helpers/paths.ts";

Deno.test("README's shell blocks run as they stand, and say what README shows", async (t) => {
  const { text } = await page("README.md");
  const steps = runnable(text);
  assert.ok(steps.length >= 6, `only ${steps.length} blocks were found`);
  await using nest = await Nest.withGuestImage();
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
});

Deno.test("an output that README does not show is found", () => {
  assertShown('"dev" is up (3.5 s)\nnext 127.0.0.1:34191\n', ['"dev" is up (12 s)']);
  assert.throws(() => assertShown("one\ntwo\n", ["two", "one"]), /README shows/);
});

/** A block to run, and the lines that README shows right below it. */
interface Step {
  script: string;
  shown: string[];
}

function runnable(text: string): Step[] {
  const pairs = /^```sh\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?/gms;
  return [...text.matchAll(pairs)].map(([, script = "", shown = ""]) => ({
    script: script.trimEnd(),
    shown: shown.split("\n").filter((line) => line !== "" && !/^ +accelerator /.test(line)),
  }));
}

/** Every line that is shown was said, in that order; numbers and blanks differ from run to run. */
function assertShown(said: string, shown: string[]): void {
  const lines = said.split("\n").map(plain);
  let from = 0;
  for (const line of shown) {
    const at = lines.indexOf(plain(line), from);
    assert.ok(at >= 0, `README shows ${JSON.stringify(line)}, and this was said:\n${said}`);
    from = at + 1;
  }
}

function plain(line: string): string {
  return line.replaceAll(/\d[\d.:-]*/g, "0").replaceAll(/\s+/g, " ").trim();
}
