import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { bareMachine } from "../helpers/bare_machine.ts";

const PASSING = 'Deno.test("good", () => {});\n';
const FAILING = 'Deno.test("bad", () => { throw new Error("the reason"); });\n';
const SKIPPED = 'Deno.test({ name: "a > b: no \\"x\\"", ignore: true, fn() {} });\n';

/** What is said of a run of these test files, without times. */
async function judged(
  files: Record<string, string>,
  { before = "", flags = "--no-check" } = {},
): Promise<[number, string]> {
  await using machine = await bareMachine();
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(machine.folder, name), text);
  }
  const [code, said] = await machine.run(
    ["say", "checks"],
    `cd '${machine.folder}'\n${before}tests unit deno test -A ${flags} .\nverdict`,
    { PATH: `${machine.folder}/bin:${dirname(Deno.execPath())}` },
  );
  return [code, said.replaceAll(/ \(\d+ s\)/g, "")];
}

Deno.test("tests that pass take one line, and skipped ones are named", async () => {
  assert.deepEqual(await judged({ "a_test.ts": PASSING + SKIPPED }), [
    0,
    "ok      unit: 1 passed, 0 failed, 1 skipped\n" +
    '  skipped: a > b: no "x"\n' +
    "1 passed, 0 failed\n",
  ]);
});

Deno.test("a test that fails is counted and shown", async () => {
  const [code, said] = await judged({ "a_test.ts": PASSING + FAILING });
  assert.equal(code, 1);
  assert.match(said, /^FAILED {2}unit: 1 passed, 1 failed, 0 skipped$/m);
  assert.match(said, /the reason/);
  assert.match(said, /\n1 passed, 1 failed\n$/);
});

Deno.test("a file that cannot be loaded is a failure", async () => {
  const files = { "a_test.ts": PASSING, "b_test.ts": 'const n: number = "text";\n' };
  const [code, said] = await judged(files, { flags: "" });
  assert.equal(code, 1);
  assert.match(said, /Type 'string' is not assignable to type 'number'/);
  assert.match(said, /\n0 passed, 1 failed\n$/);
});

Deno.test("no tests at all are a failure", async () => {
  const [code, said] = await judged({});
  assert.equal(code, 1);
  assert.match(said, /\n0 passed, 1 failed\n$/);
});

Deno.test("what a test prints is not taken for the summary", async () => {
  const text = 'console.log("ok | 99 passed | 0 failed");\n' + PASSING;
  const [code, said] = await judged({ "a_test.ts": text });
  assert.deepEqual([code, said.endsWith("\n1 passed, 0 failed\n")], [0, true]);
});

Deno.test("a failing check is counted, shown, and stops nothing", async () => {
  const before = `check first sh -c 'echo quiet'\ncheck second sh -c 'echo loud; exit 3'\n`;
  assert.deepEqual(await judged({ "a_test.ts": PASSING }, { before }), [
    1,
    "ok      first\nFAILED  second\nloud\nok      unit: 1 passed, 0 failed, 0 skipped\n" +
    "2 passed, 1 failed\n",
  ]);
});
