import assert from "node:assert/strict";
import { join } from "node:path";
import { validate } from "dockerfile-utils";
import { ROOT } from "./actions.ts";
import { noShellcheck, shellcheck } from "./shellcheck.ts";

const text = await Deno.readTextFile(join(ROOT, "scripts/Containerfile"));

/** The instructions in their order, each on one line. */
const instructions = text.replaceAll(/^#.*\n/gm, "").replaceAll(/\\\n\s*/g, "").split("\n")
  .filter((line) => line !== "").map((line) => {
    const [, name, value] = /^([A-Z]+) (.*)$/.exec(line) ?? assert.fail(line);
    return { name: name!, value: value! };
  });

function values(of: string): string[] {
  return instructions.filter(({ name }) => name === of).map(({ value }) => value);
}

Deno.test("the Containerfile is valid", () => {
  assert.deepEqual(validate(text).map(({ message }) => message), []);
  assert.equal(validate(text.replace("WORKDIR", "WORKDIRECTORY")).length, 1);
});

Deno.test("what the Containerfile copies is there, and all that its scripts read", async () => {
  const copied = values("COPY").flatMap((value) => {
    const words = value.split(" ");
    const target = words.pop()!;
    for (const path of words) {
      const place = target.endsWith("/") ? target + path.split("/").pop() : target;
      assert.equal(place, `/tmp/nido/${path}`);
    }
    return words;
  });
  for (const path of copied) assert.ok((await Deno.stat(join(ROOT, path))).isFile, path);
  const ready = await Deno.readTextFile(join(ROOT, "scripts/ci/ready_host.sh"));
  const read = Array.from(ready.matchAll(/^\. "\$project\/(.+)"$/gm), ([, path]) => path!);
  assert.ok(read.length > 0);
  for (const path of read) assert.ok(copied.includes(path), path);
});

Deno.test("Nido runs there as a user who is not root, in a home of its own", () => {
  assert.deepEqual(values("FROM"), ["debian:12-slim"]);
  assert.deepEqual(values("USER"), ["nido"]);
  const after = instructions.slice(instructions.findIndex(({ name }) => name === "USER"));
  assert.ok(!after.some(({ name }) => name === "RUN"));
  assert.deepEqual(values("ENTRYPOINT"), ['["nido"]']);
  assert.deepEqual(values("ENV"), [`NIDO_HOME=${values("VOLUME")[0]}`]);
});

Deno.test({
  name: "shellcheck finds nothing in the Containerfile" +
    (noShellcheck ? ` (${noShellcheck})` : ""),
  ignore: noShellcheck !== undefined,
  fn: async () => {
    const settings = values("ARG").map((value) => `export ${value.split("=")[0]}=\n`).join("");
    for (const run of values("RUN")) assert.equal(await shellcheck("sh", settings + run), "");
  },
});
