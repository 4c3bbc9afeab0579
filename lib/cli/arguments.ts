import type { Command, Option } from "commander";
import { NidoError } from "../errors.ts";
import type { Operation } from "../operation.ts";
import { readQuantity } from "../units.ts";
import { type Field, fieldsOf } from "./fields.ts";
import { wordsOf } from "./words.ts";

/** The flags that every command has. */
export interface CommonFlags {
  json: boolean;
  quiet: boolean;
  help: boolean;
}

/** A command line, read. */
export interface Parsed extends CommonFlags {
  input: Record<string, unknown>;
}

const COMMON = {
  "--json": "one JSON object on standard output, and nothing else there",
  "-q, --quiet": "no progress, only the result",
  "-h, --help": "show this help",
} as const;

/** Reads what follows a command's words into the operation's input. */
export async function parseArguments(operation: Operation, argv: string[]): Promise<Parsed> {
  const fields = fieldsOf(operation);
  const { head, tail } = operation.passThrough ? split(fields, argv) : { head: argv, tail: [] };
  const plain = head.length === 0 || head.every((token) => token === "--json");
  // commander costs a third of the start of a short command, which most often has no arguments
  if (plain && tail.length === 0 && !fields.some((field) => field.positional && field.required)) {
    return { input: {}, json: head.length > 0, quiet: false, help: false };
  }
  const { Command, Option } = await import("commander");
  const operands = [...tail];
  const command = describe(operation, fields, Command, Option).argument("[words...]")
    .action((words: string[]) => void operands.unshift(...words));
  try {
    command.parse(head, { from: "user" });
  } catch (thrown) {
    throw refused(operation, toldBy(thrown));
  }
  const given = command.opts();
  const common = { json: given.json === true, quiet: given.quiet === true };
  if (given.help) return { input: {}, ...common, help: true };
  return { input: await readInput(operation, fields, command, operands), ...common, help: false };
}

/** Whether a command line asks for JSON, for errors that come before it can be read. */
export function wantsJson(argv: string[]): boolean {
  const end = argv.indexOf("--");
  return argv.slice(0, end < 0 ? undefined : end).includes("--json");
}

/** The operation's flags as a commander command, for its parser and its help. */
export function describe(
  operation: Operation,
  fields: Field[],
  CommandClass: typeof Command,
  OptionClass: typeof Option,
): Command {
  const command = new CommandClass(wordsOf(operation.name)).exitOverride().helpOption(false)
    .configureOutput({ writeErr: () => {}, writeOut: () => {} });
  for (const field of fields.filter(({ positional, option }) => !positional || option)) {
    const short = field.short ? `-${field.short}, ` : "";
    const value = field.shape === "switch" ? "" : ` <${field.shown}>`;
    const flag = field.option ?? field.flag;
    const option = new OptionClass(`${short}${flag}${value}`, field.description);
    if (field.option) option.hideHelp();
    if (field.shape === "list" || field.shape === "map") option.argParser(collect);
    command.addOption(option);
  }
  for (const [flags, description] of Object.entries(COMMON)) command.option(flags, description);
  return command;
}

function collect(value: string, earlier: string[] | undefined): string[] {
  return [...(earlier ?? []), value];
}

/** Cuts a command line at the first word after the positions, from where on nothing is Nido's. */
function split(fields: Field[], argv: string[]): { head: string[]; tail: string[] } {
  let operandsLeft = fields.filter(({ positional }) => positional).length - 1;
  for (let at = 0; at < argv.length; at++) {
    const token = argv[at]!;
    if (!token.startsWith("-") || token === "-") {
      if (operandsLeft-- === 0) return { head: argv.slice(0, at), tail: argv.slice(at) };
    } else if (takesNext(fields, token)) at++;
  }
  return { head: argv, tail: [] };
}

/** Whether the word after this flag is its value; of letters in a row (`-tu bob`) the last one may have one. */
function takesNext(fields: Field[], token: string): boolean {
  const valued = fields.filter(({ shape }) => shape !== "switch");
  if (token.startsWith("--")) return valued.some(({ flag, option }) => (option ?? flag) === token);
  const letters = [...token.slice(1)];
  const first = letters.findIndex((letter) => valued.some(({ short }) => short === letter));
  return first >= 0 && first === letters.length - 1;
}

async function readInput(
  operation: Operation,
  fields: Field[],
  command: Command,
  operands: string[],
): Promise<Record<string, unknown>> {
  const input: Record<string, unknown> = {};
  const words = [...operands];
  for (const field of fields.filter(({ positional }) => positional)) {
    const variadic = field.shape === "list";
    const values = variadic ? words.splice(0) : words.splice(0, 1);
    if (values.length === 0 && field.required) {
      throw refused(operation, `${field.flag.toUpperCase()} is missing`);
    }
    if (values.length > 0) {
      input[field.key] = await read(operation, field, variadic ? values : values[0]!);
    }
  }
  if (words.length > 0) throw refused(operation, `one argument too many: ${words[0]}`);
  const given = command.opts();
  for (const field of fields.filter(({ positional, option }) => !positional || option)) {
    const option = command.options.find(({ long }) => long === (field.option ?? field.flag))!;
    if (command.getOptionValueSource(option.attributeName()) !== "cli") continue;
    if (field.key in input) {
      throw refused(operation, `${field.flag.toUpperCase()} and ${field.option} say the same`);
    }
    input[field.key] = await read(operation, field, given[option.attributeName()]);
  }
  return input;
}

/** Turns what was typed into the value that the schema checks. */
async function read(
  operation: Operation,
  field: Field,
  typed: string | string[] | boolean,
): Promise<unknown> {
  if (typeof typed === "boolean") return typed;
  const one = (text: string) => readOne(operation, field, text);
  if (field.shape === "list") return await Promise.all([typed].flat().map(one));
  if (field.shape !== "map") return await one(typed as string);
  const pairs = [typed].flat().map((pair) => {
    const at = pair.indexOf("=");
    if (at < 1) throw refused(operation, `${field.flag}: expected KEY=VALUE, got "${pair}"`);
    return one(pair.slice(at + 1)).then((value) => [pair.slice(0, at), value] as const);
  });
  return Object.fromEntries(await Promise.all(pairs));
}

async function readOne(operation: Operation, field: Field, text: string): Promise<unknown> {
  if (field.content) return await readContent(operation, field, text);
  const wrong = (expected: string) =>
    refused(operation, `${field.flag}: expected ${expected}, got "${text}"`);
  if (field.choices && !field.choices.includes(text)) throw wrong(listed(field.choices));
  if (!field.number) return text;
  const value = field.unit
    ? readQuantity(text, field.unit)
    : /^-?\d+(\.\d+)?$/.test(text)
    ? Number(text)
    : undefined;
  if (value === undefined) throw wrong(field.unit?.accepts ?? "a number");
  return value;
}

function listed(choices: string[]): string {
  return choices.length < 2
    ? choices.join("")
    : `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
}

async function readContent(operation: Operation, field: Field, path: string): Promise<string> {
  if (path === "-") return await new Response(Deno.stdin.readable).text();
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotCapable) throw cause;
    const fact = cause instanceof Deno.errors.NotFound
      ? "there is no such file"
      : cause instanceof Deno.errors.IsADirectory
      ? "it is a folder"
      : cause instanceof Error
      ? cause.message
      : String(cause);
    throw refused(operation, `${field.flag}: can't read ${path}: ${fact}`);
  }
}

function refused(operation: Operation, fact: string): NidoError {
  return new NidoError("invalid_input", `Cannot run ${operation.name}: ${fact}`, {
    hint: `nido ${wordsOf(operation.name)} --help`,
  });
}

/** commander's own words without its decoration. */
function toldBy(thrown: unknown): string {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return message.replace(/^error: /, "").replaceAll("'", "").replace(
    /\n\(Did you mean (.*)\?\)$/s,
    " (did you mean $1?)",
  );
}
