import assert from "node:assert/strict";
import { join } from "node:path";
import { parse } from "yaml";
import { bareMachine } from "../helpers/bare_machine.ts";
import { checkCommand } from "../docs/check_command.ts";
import { blocks, page } from "../docs/markdown.ts";
import { simpleCommands } from "../docs/shell_commands.ts";
import { ROOT } from "./actions.ts";
import { noShellcheck, shellcheck } from "./shellcheck.ts";

const TEMPLATE = "ci/gitlab/nido.yml";
const text = await Deno.readTextFile(join(ROOT, TEMPLATE));
const job: {
  variables: Record<string, string>;
  cache: { key: string; paths: string[] };
  before_script: string[];
  after_script: string[];
  artifacts: { when: string; paths: string[] };
} = parse(text)[".nido"];

const scripts = { before: job.before_script, after: job.after_script };

Deno.test({
  name: "shellcheck finds nothing in GitLab's template" +
    (noShellcheck ? ` (${noShellcheck})` : ""),
  ignore: noShellcheck !== undefined,
  fn: async () => {
    const known = [...Object.keys(job.variables), "CI_JOB_STATUS"];
    const head = known.map((name) => `export ${name}=\n`).join("");
    for (const lines of Object.values(scripts)) {
      assert.equal(await shellcheck("sh", head + lines.join("\n")), "");
    }
  },
});

Deno.test("every nido command in GitLab's template is one that the command line takes", async () => {
  const lines = Object.values(scripts).flat().map((line) =>
    /\bnido (?:image|cache|logs) [^;]+/.exec(line)?.[0]
  );
  const commands = lines.flatMap((line) => line === undefined ? [] : simpleCommands(line));
  assert.equal(commands.length, 4);
  for (const [, ...words] of commands) await checkCommand(words, TEMPLATE, false);
});

Deno.test("GitLab's template installs the packages that scripts/setup names", async () => {
  await using machine = await bareMachine();
  const needs = "qemu-system-x86_64 qemu-img ssh ps curl ca-certificates";
  const [, packages] = await machine.run(
    ["say", "packages"],
    `for need in ${needs}; do package_of apt-get $need; done | sort -u`,
  );
  const [install = ""] = job.before_script.filter((line) => line.startsWith("apt-get install"));
  const told = install.split(/\s+/).slice(2).filter((word) => !word.startsWith("--"));
  assert.deepEqual(told.sort(), packages.trim().split("\n"));
});

Deno.test("what GitLab's template keeps and gives lies where its scripts put it", () => {
  assert.deepEqual(job.cache.paths, [".nido-cache/"]);
  assert.deepEqual([job.artifacts.when, job.artifacts.paths], ["on_failure", ["nido-logs/"]]);
  assert.ok(scripts.after.some((line) => line.includes("--output nido-logs;")));
  assert.ok(!job.variables.NIDO_HOME!.includes("CI_PROJECT_DIR"));
});

Deno.test("the template and docs/ci.md include the same file", async () => {
  const line = /remote: https:\/\/raw\.githubusercontent\.com\/nido-vm\/nido\/v[\d.]+\/(\S+)/;
  assert.equal(line.exec(text)?.[1], TEMPLATE);
  const shown = blocks((await page("docs/ci.md")).text).map(({ lines }) => lines.join("\n"))
    .find((block) => block.startsWith("include:"))!;
  assert.equal(line.exec(shown)?.[0], line.exec(text)?.[0]);
  assert.equal(parse(shown).test.extends, ".nido");
});
