import assert from "node:assert/strict";
import { join } from "node:path";
import { fromFileUrl } from "../../helpers/paths.ts";
import { blocks, page } from "../../docs/markdown.ts";

const ROOT = fromFileUrl("../..");
const NEEDED = [
  "lib",
  "scripts",
  "docs",
  "registry",
  "tests/surface",
  "tests/helpers",
  "deno.json",
  "deno.lock",
];
const SURFACE = ["operations", "reference", "schemas"].map((name) =>
  `tests/surface/${name}_test.ts`
);

Deno.test("CONTRIBUTING's five steps make a working operation", async () => {
  const { text } = await page("CONTRIBUTING.md");
  const [code, listed, test] = blocks(text).filter(({ language }) => language === "ts")
    .map(({ lines }) => lines.join("\n"));
  const copy = await Deno.makeTempDir({ prefix: "nido-five-steps-" });
  try {
    for (const path of ["main.ts", ...NEEDED]) await copyTree(join(ROOT, path), join(copy, path));
    await Deno.mkdir(join(copy, "tests/vm"));
    await Deno.writeTextFile(join(copy, "lib/vm/age.ts"), `${code}\n`);
    await Deno.writeTextFile(join(copy, "tests/vm/age_test.ts"), `${test}\n`);
    const list = await Deno.readTextFile(join(copy, "lib/operations.ts"));
    const line = '  "vm.info": () => import("./vm/info.ts"),\n';
    assert.ok(list.includes(line));
    const longer = list.replace(line, `${line}  ${listed!.trim()}\n`);
    await Deno.writeTextFile(join(copy, "lib/operations.ts"), longer);

    const stale = await deno(copy, "test", "-A", "--no-check", SURFACE.at(-1)!);
    assert.notEqual(stale.code, 0, "an unpublished operation must be noticed");
    for (
      const args of [
        ["task", "schemas"],
        ["task", "reference"],
        ["task", "reference", "--check"],
        ["task", "api"],
        ["task", "api", "--check"],
        ["fmt", "--check", "lib/operations.ts", "lib/vm/age.ts", "tests/vm"],
        ["lint", "lib/vm/age.ts", "tests/vm"],
        ["task", "layers"],
        ["check", "lib/vm/age.ts", "tests/vm/age_test.ts"],
        ["test", "-A", "--no-check", "tests/vm/age_test.ts", ...SURFACE],
        ["run", "-A", "main.ts", "help", "age"],
      ]
    ) {
      const { code, said } = await deno(copy, ...args);
      assert.equal(code, 0, `deno ${args.join(" ")}:\n${said}`);
    }
    assert.match(await Deno.readTextFile(join(copy, "docs/reference/vm.md")), /^## vm\.age$/m);
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
});

async function deno(cwd: string, ...args: string[]): Promise<{ code: number; said: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, said: text(stderr) + text(stdout) };
}

async function copyTree(from: string, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) await copyTree(join(from, name), join(to, name));
}
