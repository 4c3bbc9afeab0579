import assert from "node:assert/strict";
import { commandHelp } from "../../lib/cli/help.ts";
import { load } from "../../lib/cli/run.ts";
import { terminal } from "../../lib/cli/terminal.ts";
import { wordsOf } from "../../lib/cli/words.ts";
import { operations } from "../../lib/operations.ts";
import { nido } from "../helpers/command.ts";
import { command, sample } from "../helpers/sample_operations.ts";

Deno.test("help of a command tells its arguments, flags, defaults and examples", async () => {
  assert.equal(
    await commandHelp(sample),
    `Usage: nido sample [options] [name]

Show what arrived.

Arguments:
  name                         A name (or --name)

Options:
  --memory <SIZE>              Memory (default 512 MiB)
  --disk <SIZE>                Disk
  --timeout <TIME>             Time limit
  --cpus <N>                   Processors
  --wait <none|running|ready>  What to wait for (default ready)
  --port <PORT>                Ports
  --label <KEY=VALUE>          Labels
  --user-data <FILE>           User data
  --ssh-key <FILE>             Keys
  -f, --force                  Without asking
  --no-cache                   Turn off: keep a copy
  --json                       one JSON object on standard output, and nothing else there
  -q, --quiet                  no progress, only the result
  -h, --help                   show this help

Examples:
  nido sample dev --memory 1G
`,
  );
  assert.match(
    await commandHelp(command),
    /^Usage: nido command \[options\] <name> \[--\] <command\.\.\.>\n/,
  );
});

Deno.test("nido help names every command", async () => {
  const { code, stdout, stderr } = await nido(["help"]);
  assert.deepEqual([code, stderr], [0, ""]);
  const shown = Object.keys(terminal).filter((word) => !terminal[word]!.hidden);
  for (const word of [...Object.keys(operations).map(wordsOf), ...shown]) {
    assert.match(stdout, new RegExp(`^  ${word} +[A-Z]`, "m"));
  }
  for (const args of [["--help"], ["-h"], ["help", "--json"]]) {
    assert.equal((await nido(args)).stdout, stdout);
  }
});

Deno.test("help is found for commands, nouns and what is no operation", async () => {
  const { summary } = await load("config.set");
  const asked = [["help", "config", "set"], ["config", "set", "--help"], [
    "config",
    "set",
    "x",
    "-h",
  ]];
  for (const args of asked) {
    const { code, stdout } = await nido(args);
    assert.equal(code, 0);
    assert.ok(stdout.startsWith(`Usage: nido config set [options] <key> [value]\n\n${summary}.\n`));
  }
  for (const args of [["config"], ["help", "config"], ["config", "--help"], ["config", "help"]]) {
    assert.match(
      (await nido(args)).stdout,
      /^Usage: nido config COMMAND \[OPTIONS\]\n\n {2}config get /,
    );
  }
  assert.match(
    (await nido(["ssh", "--help"])).stdout,
    /^Usage: nido ssh NAME \[SSH ARGUMENTS\.\.\.\]\n/,
  );
  const { code, stderr } = await nido(["help", "confg"]);
  assert.deepEqual([code, stderr], [2, 'error: Unknown command "confg"\n  try: nido help\n']);
});

Deno.test("nido alone says how to begin, and --version which one it is", async () => {
  const { code, stdout } = await nido([]);
  assert.equal(code, 0);
  assert.match(stdout, /nido spawn .*\n.*nido exec/);
  for (const flag of ["--version", "-V"]) {
    assert.match((await nido([flag])).stdout, /^nido \d+\.\d+\.\d+\n$/);
  }
});
