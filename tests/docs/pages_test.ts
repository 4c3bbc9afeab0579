import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path";
import { load } from "../../lib/cli/run.ts";
import { ERROR_CODES } from "../../lib/errors.ts";
import { vmFiles } from "../../lib/store/files.ts";
import { permissionsFor } from "../../lib/system/permissions.ts";
import { vmState } from "../../lib/vm/vm.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { blocks, codeSpans, page, pages, prose } from "./markdown.ts";
import { shellText } from "./shell_commands.ts";

const ROOT = fromFileUrl("../..");

Deno.test("every link between the documents leads somewhere", async () => {
  let seen = 0;
  for (const { path, text } of await pages()) {
    for (const [, target = ""] of prose(text).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      seen++;
      const [file = "", anchor] = target.split("#");
      const to = file === "" ? path : normalize(join(dirname(path), file));
      assert.ok(await exists(to), `${path}: ${target} is not there`);
      if (anchor === undefined) continue;
      const anchors = anchorsOf(await Deno.readTextFile(join(ROOT, to)));
      assert.ok(anchors.includes(anchor), `${path}: ${target} has no such heading`);
    }
  }
  assert.ok(seen > 40, `only ${seen} links were found`);
});

/** CONTRIBUTING's examples; contributing_test.ts makes the first two. */
const EXAMPLES = ["lib/vm/age.ts", "tests/vm/age_test.ts", "lib/x/y.ts", "tests/x/y_test.ts"];

Deno.test("every file of the project that the documents name is there", async () => {
  let seen = 0;
  for (const { path, text } of await pages()) {
    const named = [
      ...codeSpans(text),
      ...blocks(text).flatMap((block) => shellText(block).split(/\s+/)),
    ]
      .filter((word) => /^(lib|tests|scripts|docs|mcp|registry|ci)\/[\w./-]*$/.test(word));
    for (const file of named.filter((file) => !EXAMPLES.includes(file))) {
      seen++;
      assert.ok(await exists(file), `${path}: ${file} is not there`);
    }
  }
  assert.ok(seen > 10, `only ${seen} files were found`);
});

Deno.test("every task that the documents name is in deno.json", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  for (const { path, text } of await pages()) {
    for (const [, task = ""] of text.matchAll(/deno task ([a-z]+(?::[a-z]+)?)/g)) {
      assert.ok(task in tasks, `${path}: there is no task ${task}`);
    }
  }
});

Deno.test("a JSON result that the documents show is one that its operation gives", async () => {
  let seen = 0;
  for (const { path, text } of await pages()) {
    for (const line of blocks(text).flatMap(({ lines }) => lines)) {
      if (!line.startsWith('{"schemaVersion"')) continue;
      const { command, data } = JSON.parse(line);
      const { error } = (await load(command)).output.safeParse(data);
      assert.equal(error, undefined, `${path}: ${error?.message}`);
      seen++;
    }
  }
  assert.ok(seen > 0);
});

Deno.test("docs/errors.md tells the codes of lib/errors.ts", async () => {
  const { text } = await page("docs/errors.md");
  const rows = text.split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const told = rows.map(([code = "", exit, http, meaning]) => [code.replaceAll("`", ""), {
    exit: Number(exit),
    http: Number(http),
    meaning,
  }]);
  assert.deepEqual(told, Object.entries(ERROR_CODES));
});

Deno.test("docs/architecture.md tells why each library of deno.json was chosen", async () => {
  const { imports } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const { text } = await page("docs/architecture.md");
  for (const name of Object.keys(imports).filter((name) => name !== "@types/ssh2")) {
    assert.ok(text.includes(`\`${name}\``), `why ${name} was chosen is not told`);
  }
});

Deno.test("docs/architecture.md names every file of a VM, every state and every folder of lib", async () => {
  const { text } = await page("docs/architecture.md");
  const folders = await Array.fromAsync(Deno.readDir(join(ROOT, "lib")));
  const names = [
    ...Object.values(vmFiles),
    ...vmState.options,
    ...folders.filter(({ isDirectory }) => isDirectory).map(({ name }) => `lib/${name}`),
  ];
  for (const name of names) assert.ok(text.includes(`\`${name}\``), `${name} is not told of`);
});

Deno.test({
  name: "docs/permissions.md shows the flags that Nido asks for, and a reason for each",
  ignore: Deno.build.os !== "linux", // where it shows those of Linux
  fn: async () => {
    const { text } = await page("docs/permissions.md");
    for (const { flag } of await permissionsFor("/home/me/.nido")) {
      const [name = ""] = flag.split("=");
      const whole = /^--allow-read/.test(name) ? `${name}=/home/me/.nido,` : flag;
      assert.ok(text.includes(`\n${whole}`), `${whole} is not shown`);
      assert.ok(text.includes(`| \`${name}\``), `${name} is not explained`);
    }
  },
});

/** The folders of a machine that a document may name; others are somebody's own. */
const KNOWN_ROOTS = /^\/(usr|etc|dev|tmp|var|srv|home\/(me|nido))\//;
const KNOWN_HOSTS = [
  "github.com",
  "raw.githubusercontent.com",
  "keepachangelog.com",
  "semver.org",
  "docs.deno.com",
  "www.qemu.org",
  "images.example",
  "mirror.example.org",
  // where README.md's comparison is cited from
  "canonical.com",
  "developer.hashicorp.com",
  "docs.docker.com",
  "lima-vm.io",
];

Deno.test("no document names a place that only its author has", async () => {
  for (const { path, text } of await pages()) {
    for (const [, place = ""] of text.matchAll(/(?:^|[\s"'`=,(:])(\/[a-z][\w.-]*\/[\w./-]+)/gm)) {
      assert.match(place, KNOWN_ROOTS, `${path} names ${place}`);
    }
    for (const [, host = ""] of text.matchAll(/https?:\/\/([^/\s)`]+)/g)) {
      assert.ok(KNOWN_HOSTS.includes(host), `${path} names ${host}`);
    }
  }
});

/** The anchors that GitHub makes of a page's headings. */
function anchorsOf(text: string): string[] {
  return [...prose(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading.toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(join(ROOT, path));
    return true;
  } catch {
    return false;
  }
}
