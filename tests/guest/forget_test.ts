import assert from "node:assert/strict";
import { join } from "node:path";
import { forgetProgram } from "../../lib/guest/forget.ts";
import { quieting } from "../../lib/guest/forget/quieting.ts";
import { traces } from "../../lib/guest/forget/traces.ts";

async function python(text: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("python3", {
    args: ["-I", "-S", "-c", text, ...args],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "nido-forget-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the program is one that Python takes", async () => {
  await python("import ast, sys; ast.parse(sys.argv[1], feature_version=(3, 8))", forgetProgram);
});

Deno.test("what a file held is zeros before it goes, also through a name opened before", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a", "secret");
    await Deno.mkdir(join(folder, "a"));
    await Deno.writeTextFile(path, "secret\n".repeat(300_000));
    const open = await Deno.open(path);
    assert.equal(
      await python(`${traces}\nforget_tree(sys.argv[1])\nprint(problems)`, folder),
      "[]\n",
    );
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
    const left = new Uint8Array(await new Response(open.readable).arrayBuffer());
    assert.equal(left.length, 2_100_000);
    assert.ok(left.every((byte) => byte === 0));
  });
});

Deno.test("a sparse file stays sparse, and a file with another name keeps its content", async () => {
  await withFolder(async (folder) => {
    const [sparse, kept] = [join(folder, "lastlog"), join(folder, "kept")];
    await Deno.writeTextFile(sparse, "secret");
    await Deno.truncate(sparse, 2 ** 40);
    await Deno.writeTextFile(kept, "shared");
    await Deno.link(kept, join(folder, "other"));
    await python(
      `${traces}\nempty(sys.argv[1]); forget(sys.argv[2])`,
      sparse,
      join(folder, "other"),
    );
    assert.equal((await Deno.stat(sparse)).size, 0);
    assert.equal(await Deno.readTextFile(kept), "shared");
  });
});

Deno.test("a link is removed, and what it leads to stays", async () => {
  await withFolder(async (folder) => {
    const outside = await Deno.makeTempFile();
    await Deno.writeTextFile(outside, "not ours");
    await Deno.symlink(outside, join(folder, "link"));
    await python(`${traces}\nforget_tree(sys.argv[1])`, folder);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
    assert.equal(await Deno.readTextFile(outside), "not ours");
    await Deno.remove(outside);
  });
});

Deno.test("the program and those that started it are spared", async () => {
  const said = await python(`${traces}\n${quieting}\nprint(*sorted(ancestors()))`);
  const pids = said.trim().split(" ").map(Number);
  assert.ok(pids.includes(Deno.pid) && pids.length > 2, said);
});
