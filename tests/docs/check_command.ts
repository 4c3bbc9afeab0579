import assert from "node:assert/strict";
import { parseArguments } from "../../lib/cli/arguments.ts";
import { fieldsOf } from "../../lib/cli/fields.ts";
import { load } from "../../lib/cli/run.ts";
import { resolve } from "../../lib/cli/words.ts";
import { toNidoError } from "../../lib/errors.ts";
import type { Operation } from "../../lib/operation.ts";
import { parsePorts } from "../../lib/vm/port.ts";
import { fromFileUrl } from "../helpers/paths.ts";

/** Reads one command line as the real one would, without running it. */
export async function checkCommand(
  argv: string[],
  where: string,
  complete: boolean,
): Promise<void> {
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
