import { z } from "zod";
import { fieldsOf } from "../lib/cli/fields.ts";
import { usage } from "../lib/cli/help.ts";
import { load } from "../lib/cli/run.ts";
import { aliasesOf, nounOf, wordsOf } from "../lib/cli/words.ts";
import type { Operation } from "../lib/operation.ts";
import { operations } from "../lib/operations.ts";
import { ERROR_CODES } from "../lib/errors.ts";

const FOLDER = "docs/reference";

/** The reference pages by file name, computed from the list of operations. */
export async function referencePages(): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  for (const noun of new Set(Object.keys(operations).map(nounOf))) {
    const names = Object.keys(operations).filter((name) => nounOf(name) === noun);
    const sections = await Promise.all(names.map(async (name) => section(await load(name))));
    pages.set(`${noun}.md`, [`# ${noun}`, ...sections].join("\n\n") + "\n");
  }
  pages.set("errors.md", errorsPage());
  return pages;
}

function section(operation: Operation): string {
  const { name, summary, description, effect, surfaces, examples = [] } = operation;
  const fields = fieldsOf(operation);
  const inputs = fields.map(({ key, flag, short, positional, description, required }) => {
    const flags = positional
      ? `\`${flag.toUpperCase()}\``
      : `\`${short ? `-${short}, ` : ""}${flag}\``;
    return [
      `\`${key}\``,
      flags,
      required ? "yes" : "",
      typeOf(inputSchema(operation), key),
      description,
    ];
  });
  const outputs = outputRows(outputSchema(operation));
  const words = wordsOf(name);
  const aliases = aliasesOf(name).map((alias) => `\`nido ${alias}\``);
  return [
    `## ${name}`,
    `${summary}.`,
    ...(description ? [description] : []),
    "```sh\n" +
    [`nido ${words} ${usage(fields, operation.passThrough === true)}`, ...examples].join("\n") +
    "\n```",
    `Effect: ${effect}. Surfaces: ${surfaces.join(", ")}.` +
    (aliases.length > 0 ? ` Also: ${aliases.join(", ")}.` : ""),
    inputs.length > 0
      ? table(["Input", "Command line", "Required", "Type", "What it is"], inputs)
      : "It takes nothing.",
    table(["Output", "Type", "What it is"], outputs),
  ].join("\n\n");
}

interface JsonSchema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  minimum?: number;
  maximum?: number;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
}

/** The JSON Schema of what an operation takes. */
export function inputSchema(operation: Operation): JsonSchema {
  return z.toJSONSchema(operation.input, { io: "input" }) as JsonSchema;
}

/** The JSON Schema of what an operation gives. */
export function outputSchema(operation: Operation): JsonSchema {
  return z.toJSONSchema(operation.output) as JsonSchema;
}

/** A row for every output key at any depth: `vms[].name`. */
function outputRows(schema: JsonSchema, path = ""): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, field]) => {
    const inner = field.items ?? field;
    const own = `${path}${key}${field.items ? "[]" : ""}`;
    return [
      [`\`${own}\``, typeOf(schema, key), field.description ?? ""],
      ...outputRows(inner, `${own}.`),
    ];
  });
}

function typeOf(schema: JsonSchema, key: string): string {
  const field = schema.properties![key]!;
  const bounds = field.minimum !== undefined && field.maximum !== undefined
    ? `, ${field.minimum} to ${field.maximum}`
    : "";
  const initial = field.default === undefined
    ? ""
    : `, default \`${JSON.stringify(field.default)}\``;
  return shape(field) + bounds + initial;
}

function shape(field: JsonSchema): string {
  if (field.enum) return field.enum.map((value) => `\`${value}\``).join(", ");
  if (field.const !== undefined) return `\`${field.const}\``;
  if (field.anyOf) return field.anyOf.map(shape).join(" or ");
  if (field.type === "array") return `list of ${shape(field.items ?? {})}`;
  if (field.type === "object" && field.properties) return "object";
  if (field.type === "object") return "map of names to text";
  return field.type === undefined ? "anything" : [field.type].flat().join(" or ");
}

function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, { exit, http, meaning }]) => [
    `\`${code}\``,
    String(exit),
    String(http),
    meaning,
  ]);
  return "# Errors\n\nEvery error has one of these codes, a message and, where there is one, a next " +
    "command to type. Exit status 1\nis the answer no, as from a `nido doctor` that found something that " +
    "blocks. Where the exit status is\nthe guest command's own (`exec`, `ssh`), Nido's own failure is 125.\n\n" +
    table(["Code", "Exit status", "HTTP status", "Meaning"], rows) + "\n";
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  const pages = await referencePages();
  const stale: string[] = [];
  for (const [name, text] of pages) {
    const path = `${FOLDER}/${name}`;
    const now = await Deno.readTextFile(path).catch(() => undefined);
    if (now === text) continue;
    stale.push(path);
    if (check) continue;
    await Deno.mkdir(FOLDER, { recursive: true });
    await Deno.writeTextFile(path, text);
  }
  for await (const { name } of Deno.readDir(FOLDER)) {
    if (pages.has(name)) continue;
    stale.push(`${FOLDER}/${name}`);
    if (!check) await Deno.remove(`${FOLDER}/${name}`);
  }
  if (check && stale.length > 0) {
    console.error(`Not what the operations say: ${stale.join(", ")}\nRun: deno task reference`);
    Deno.exit(1);
  }
}
