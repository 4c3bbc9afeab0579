import { NidoError } from "../lib/errors.ts";
import { nearestName } from "../lib/nearest_name.ts";
import { operations } from "../lib/operations.ts";

/**
 * What an agent gets when nobody says otherwise: enough for a whole job. Names without an operation
 * are left out, and so are those that need a workspace when there is none.
 */
export const CORE = [
  "vm.spawn",
  "vm.list",
  "vm.info",
  "vm.exec",
  "vm.read_file",
  "vm.write_file",
  "vm.start",
  "vm.stop",
  "vm.delete",
  "vm.wait",
  "vm.logs",
  "vm.fork",
  "vm.upload",
  "vm.download",
  "job.wait",
  "job.output",
  "job.kill",
  "snapshot.create",
  "snapshot.restore",
  "image.list",
  "image.pull",
  "template.list",
  "template.create",
  "system.doctor",
];

/** Every toolset: `core`, one for each noun with all its operations, and `all`. */
export function toolsets(): Record<string, string[]> {
  const names = Object.keys(operations);
  const nouns = [...new Set(names.map((name) => name.split(".")[0]!))];
  return {
    core: CORE.filter((name) => name in operations),
    ...Object.fromEntries(
      nouns.map((noun) => [noun, names.filter((name) => name.startsWith(`${noun}.`))]),
    ),
    all: names,
  };
}

/** Which tools are asked for: more toolsets beside `core`, or single tools instead of it. */
export interface Choice {
  toolsets?: string[];
  tools?: string[];
}

/** The names of the operations that a choice means, in the order of the list. */
export function chosen({ toolsets: sets, tools }: Choice): string[] {
  const known = toolsets();
  const wanted = new Set<string>(sets || !tools ? known.core : []);
  for (const set of sets ?? []) {
    if (!Object.hasOwn(known, set)) throw unknown("toolset", set, Object.keys(known));
    for (const name of known[set]!) wanted.add(name);
  }
  const names = Object.keys(operations);
  for (const tool of tools ?? []) {
    const name = names.find((name) => tool === name || tool === toolName(name));
    if (!name) throw unknown("tool", tool, names.map(toolName));
    wanted.add(name);
  }
  return names.filter((name) => wanted.has(name));
}

/** What an operation is called over MCP: `vm.read_file` is `vm_read_file`. */
export function toolName(operation: string): string {
  return operation.replace(".", "_");
}

function unknown(what: "tool" | "toolset", given: string, names: string[]): NidoError {
  const nearest = nearestName(given, names);
  return new NidoError(
    "invalid_input",
    `There is no ${what} "${given}"${nearest ? `; the nearest is "${nearest}"` : ""}`,
    { hint: "nido mcp --describe --toolsets all", details: { nearest, known: names } },
  );
}
