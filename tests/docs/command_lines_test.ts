import assert from "node:assert/strict";
import { checkCommand } from "./check_command.ts";
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
