import assert from "node:assert/strict";
import { parseArguments } from "../../lib/cli/arguments.ts";
import { fieldsOf } from "../../lib/cli/fields.ts";
import { load } from "../../lib/cli/run.ts";
import { resolve } from "../../lib/cli/words.ts";
import { toNidoError } from "../../lib/errors.ts";
import type { Operation } from "../../lib/operation.ts";
import { parsePorts } from "../../lib/vm/port.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { blocks, codeSpans, pages } from "./markdown.ts";
import { shellText, simpleCommands } from "./shell_commands.ts";

Deno.test("every nido command in a code block is one that the command line takes", async () => {
  let seen = 0;
  for (const { path, text } of await pages()) {
    for (const words of blocks(text).map(shellText).flatMap(simpleCommands)) {
      if (!isNido(words)) continue;
      seen++;
      // What a variable stands for is known when the line runs.
      const isComplete = !words.some((word) => /^\$\w+$/.test(word));
      await checkCommand(words.slice(1), `${path}: ${words.join(" ")}`, isComplete);
    }
  }
  assert.ok(seen > 60, `only ${seen} commands were found`);
});

Deno.test("every nido command in the prose is known, with its options", async () => {
  let seen = 0;
  for (const { path, text } of await pages()) {
    for (
      const words of codeSpans(text).filter((span) => /^nido \S/.test(span)).flatMap(simpleCommands)
    ) {
      seen++;
      await checkCommand(words.slice(1), `${path}: ${words.join(" ")}`, false);
    }
  }
  assert.ok(seen > 40, `only ${seen} commands were found`);
});

Deno.test("a command line that is wrong is found", async () => {
  const refused = [
    "nido spwan",
    "echo a | nido exec --bogus dev -- true",
    "nido spawn dev --memory lots",
    "nido spawn 'Not a name'",
    "nido spawn dev --port 80:web",
    "nido delete",
    "source <(nido complain bash)",
  ];
  for (const line of refused) {
    await assert.rejects(async () => {
      for (const words of simpleCommands(line)) {
        if (isNido(words)) await checkCommand(words.slice(1), line, true);
      }
    }, line);
  }
  assert.throws(() => simpleCommands("nido list `id`'"), SyntaxError);
});

function isNido([program = ""]: string[]): boolean {
  return /^(scripts\/)?nido$/.test(program);
}

/** Reads one command line as the real one would, without running it. */
async function checkCommand(argv: string[], where: string, complete: boolean): Promise<void> {
  try {
    if (/^(--version|-V|--help|-h)$/.test(argv[0] ?? "--help")) return;
    const named = resolve(argv);
    if ("terminal" in named) {
      if (named.terminal === "help" && named.rest[0] !== "COMMAND") resolve(named.rest);
      return;
    }
    if (!("operation" in named)) return;
    const operation = await load(named.operation);
    const { input, help } = await parseArguments(operation, withFiles(operation, named.rest));
    if (!complete || help) return;
    const { ports = [] } = operation.input.parse(input) as { ports?: string[] };
    parsePorts(ports);
  } catch (thrown) {
    const { message } = toNidoError(thrown);
    if (!complete && / is missing$/.test(message)) return;
    assert.fail(`${where}: ${message}`);
  }
}

/** The same words, with a file that exists where the text of a file is read. */
function withFiles(operation: Operation, argv: string[]): string[] {
  const flags = fieldsOf(operation).filter(({ content }) => content).map(({ flag }) => flag);
  const file = fromFileUrl("../../LICENSE");
  return argv.map((word, index) => flags.includes(argv[index - 1] ?? "") ? file : word);
}
