import type { Operation } from "../lib/operation.ts";
import { operations } from "../lib/operations.ts";
import { whatIsLost } from "./guards/confirm.ts";
import { toolName } from "./toolsets.ts";

/** A command of Nido's in a sentence: up to where the sentence goes on. */
const COMMAND = /\bnido ((?:(?!, |: |; |\. |\.$|`| or | \().)+)/g;

/** Names the tools instead of the commands and operations that a text tells of, where there are such. */
export function asTools(text: string, offered: Set<string>): string {
  return text.replace(/`?\bnido ([a-z][a-z ]*[a-z])`?/g, (whole, words: string) => {
    const name = operationOf(words.split(" "), offered);
    return name ? toolName(name) : whole;
  }).replace(/\b[a-z]+\.[a-z_]+\b/g, (name) => offered.has(name) ? toolName(name) : name);
}

function operationOf(words: string[], offered: Set<string>): string | undefined {
  const [noun = "", verb = ""] = words;
  const spelt = [`${noun}.${verb}`, `vm.${noun}`, `system.${noun}`, `${noun.slice(0, -1)}.list`];
  return spelt.find((name) => offered.has(name.replaceAll("-", "_")))?.replaceAll("-", "_");
}

/**
 * Turns the next command to type into the next call to make: `nido wait web` is
 * `vm_wait {"name":"web"}`. What is no tool here stays a command, for a person.
 */
export async function hintOfCalls(hint: string, tools: Map<string, unknown>): Promise<string> {
  const found = [...hint.matchAll(COMMAND)];
  let told = hint;
  for (const [whole, line = ""] of found) {
    const call = await callOf(line.trim().split(/\s+/), tools);
    if (call) told = told.replace(whole, call);
  }
  const offered = Object.keys(operations).filter((name) => tools.has(toolName(name)));
  return asTools(told, new Set(offered));
}

async function callOf(argv: string[], tools: Map<string, unknown>): Promise<string | undefined> {
  const [{ resolve }, { load }, { parseArguments }] = await Promise.all([
    import("../lib/cli/words.ts"),
    import("../lib/cli/run.ts"),
    import("../lib/cli/arguments.ts"),
  ]);
  let operation: Operation | undefined;
  try {
    const named = resolve(argv);
    if (!("operation" in named)) return undefined;
    const name = toolName(named.operation);
    if (!tools.has(name)) return undefined;
    operation = await load(named.operation);
    const { input, help } = await parseArguments(operation, named.rest);
    if (help || Object.keys(input).length === 0) return name;
    if (whatIsLost({ operation, input })) input.confirm = true;
    return `${name} ${JSON.stringify(input)}`;
  } catch {
    // The hint shows only the shape of a command (`nido spawn --image NAME`): its tool's name will do.
    return operation && toolName(operation.name);
  }
}
