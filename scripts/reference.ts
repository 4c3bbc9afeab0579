import { z } from "zod";
import { type Field, fieldsOf } from "../lib/cli/fields.ts";
import { usage } from "../lib/cli/help.ts";
import { load } from "../lib/cli/run.ts";
import { terminal } from "../lib/cli/terminal.ts";
import { aliasesOf, nounOf, wordsOf } from "../lib/cli/words.ts";
import type { Operation } from "../lib/operation.ts";
import { operations } from "../lib/operations.ts";

const FOLDER = "docs/reference";

/** The reference pages by file name, computed from the list of operations. */
export async function referencePages(): Promise<Map<string, string>> {
  const all = await Promise.all(Object.keys(operations).map(load));
  const nouns = [...new Set(all.map(({ name }) => nounOf(name)))];
  const pages = new Map([["README.md", indexPage(nouns, all)], ["terminal.md", terminalPage()]]);
  for (const noun of nouns) {
    const sections = all.filter(({ name }) => nounOf(name) === noun).map(section);
    pages.set(`${noun}.md`, [`# ${noun}`, ...sections].join("\n\n") + "\n");
  }
  return pages;
}

function indexPage(nouns: string[], all: Operation[]): string {
  const groups = nouns.map((noun) => {
    const rows = all.filter(({ name }) => nounOf(name) === noun).map(({ name, summary }) => [
      `\`nido ${wordsOf(name)}\``,
      `[${name}](${noun}.md#${anchor(name)})`,
      summary,
    ]);
    return [`## ${noun}`, table(["Command", "Operation", "What it does"], rows)].join("\n\n");
  });
  const rows = shownTerminal().map(([word, { summary }]) => [
    `[\`nido ${word}\`](terminal.md#nido-${word})`,
    summary,
  ]);
  return [
    "# Reference",
    "Made from the operations themselves by `deno task reference`; don't edit it by hand. Every " +
    "command also takes\n`--json` (one object on standard output, see [errors](../errors.md)), " +
    "`--quiet` and `--help`.",
    ...groups,
    "## The command line's own",
    table(["Command", "What it does"], rows),
  ].join("\n\n") + "\n";
}

/** The commands that need the terminal itself, or are part of the command line. */
function terminalPage(): string {
  const sections = shownTerminal().map(([word, { summary, usage, examples }]) =>
    [
      `## nido ${word}`,
      `${summary}.`,
      fenced("text", [`nido ${word} ${usage}`]),
      ...(examples.length > 0 ? [fenced("sh", examples)] : []),
    ].join("\n\n")
  );
  return ["# The command line's own commands", ...sections].join("\n\n") + "\n";
}

function shownTerminal() {
  return Object.entries(terminal).filter(([, { hidden }]) => !hidden);
}

/** As GitHub makes the anchor of a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replace(/[^a-z0-9_ -]/g, "").replaceAll(" ", "-");
}

function fenced(language: string, lines: string[]): string {
  return ["```" + language, ...lines, "```"].join("\n");
}

function section(operation: Operation): string {
  const { name, summary, description, effect, surfaces, examples = [] } = operation;
  const fields = fieldsOf(operation);
  const inputs = fields.map((field) => [
    `\`${field.key}\``,
    typed(field),
    field.required ? "yes" : "",
    typeOf(inputSchema(operation), field.key),
    field.description,
  ]);
  const aliases = aliasesOf(name).map((alias) => `\`nido ${alias}\``);
  const only = surfaces.length === 1 && surfaces[0] === "cli" ? " Only on the command line." : "";
  return [
    `## ${name}`,
    `${summary}.`,
    ...(description ? [description] : []),
    fenced("text", [`nido ${wordsOf(name)} ${usage(fields, operation.passThrough === true)}`]),
    ...(examples.length > 0 ? [fenced("sh", examples)] : []),
    `Effect: ${effect}.${only}` + (aliases.length > 0 ? ` Also: ${aliases.join(", ")}.` : ""),
    inputs.length > 0
      ? table(["Input", "Command line", "Required", "Type", "What it is"], inputs)
      : "It takes nothing.",
    table(["Output", "Type", "What it is"], outputRows(outputSchema(operation))),
  ].join("\n\n");
}

/** How an input is typed: `-u, --user USER`; what the type column lists is not told twice. */
function typed({ flag, option, short, shown, shape, choices, positional }: Field): string {
  if (positional) return `\`${flag.toUpperCase()}\`` + (option ? ` or \`${option}\`` : "");
  const value = shape === "switch" || choices ? "" : ` ${shown}`;
  return `\`${short ? `-${short}, ` : ""}${flag}${value}\``;
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
  required?: string[];
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
      [
        `\`${own}\``,
        typeOf(schema, key) + (schema.required?.includes(key) ? "" : ", or absent"),
        field.description ?? "",
      ],
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
