import assert from "node:assert/strict";
import { join } from "node:path";
import { NidoError } from "../../lib/errors.ts";
import { commandLines, run } from "../../lib/host/process.ts";
import { fromFileUrl } from "../helpers/paths.ts";

/** A program that starts another one, says both their ids in a file, and waits. */
const PAIR = 'sleep 300 & echo "$$ $!" >"$0.new" && mv "$0.new" "$0"; wait';

const ignore = Deno.build.os !== "linux";

Deno.test({ name: "an interrupted program ends with all that it started", ignore }, async () => {
  const folder = await Deno.makeTempDir({ prefix: "nido-together-" });
  const [said, stop] = [join(folder, "pids"), new AbortController()];
  const running = run("sh", ["-c", PAIR, said], { signal: stop.signal, together: true });
  const pids = await pidsIn(said);
  assert.equal((await commandLines(pids)).size, 2);
  stop.abort();
  await assert.rejects(running, { name: "AbortError" });
  assert.equal((await commandLines(pids)).size, 0);
  await Deno.remove(folder, { recursive: true });
});

Deno.test(
  { name: "a program ends with all that it started when we are killed", ignore },
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "nido-together-" });
    const said = join(folder, "pids");
    const us = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `
      import { run } from ${JSON.stringify(fromFileUrl("../../lib/host/process.ts"))};
      await run("sh", ["-c", ${JSON.stringify(PAIR)}, ${
          JSON.stringify(said)
        }], { together: true });`,
      ],
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    const pids = await pidsIn(said);
    assert.equal((await commandLines(pids)).size, 2);
    us.kill("SIGKILL");
    await us.status;
    for (let left = 500; (await commandLines(pids)).size > 0; left--) {
      assert.ok(left > 0, "they live on");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await Deno.remove(folder, { recursive: true });
  },
);

Deno.test({ name: "a program that ends by itself gives its own answer", ignore }, async () => {
  const script = 'echo out; echo "err $1" >&2; exit 3';
  const lines: string[] = [];
  const { code, stdout, stderr } = await run("sh", ["-c", script, "sh", "a b"], {
    together: true,
    accept: [3],
    hearErrors: (chunk) => lines.push(new TextDecoder().decode(chunk)),
  });
  assert.deepEqual([code, new TextDecoder().decode(stdout), stderr], [3, "out\n", "err a b\n"]);
  assert.equal(lines.join(""), "err a b\n");
});

Deno.test("of what a program says to standard error the end is kept", async () => {
  let heard = 0;
  const script = "i=0; while [ $i -lt 9000 ]; do echo line $i >&2; i=$((i + 1)); done; exit 1";
  const failed = run("sh", ["-c", script], { hearErrors: ({ length }) => heard += length });
  await assert.rejects(failed, (error) => {
    assert.ok(error instanceof NidoError);
    assert.equal(error.message, "sh failed: line 8999");
    return true;
  });
  assert.equal(heard, Array.from({ length: 9000 }, (_, i) => `line ${i}\n`).join("").length);
});

async function pidsIn(path: string): Promise<number[]> {
  for (let left = 1000;; left--) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (text) return text.trim().split(" ").map(Number);
    assert.ok(left > 0, "it said nothing");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
