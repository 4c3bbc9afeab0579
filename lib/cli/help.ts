import { toNidoError } from "../errors.ts";
import type { Operation } from "../operation.ts";
import { operations } from "../operations.ts";
import { formatBytes, formatDuration } from "../units.ts";
import { describe } from "./arguments.ts";
import { type Field, fieldsOf } from "./fields.ts";
import { load, renderFailure } from "./run.ts";
import { columns, paint, writeOut } from "./streams.ts";
import { terminal } from "./terminal.ts";
import { aliasesOf, nounOf, resolve, wordsOf } from "./words.ts";

const GROUPS: Record<string, string> = {
  vm: "Virtual machines",
  image: "Images",
  config: "Settings",
  system: "This machine",
  agents: "AI agents",
  terminal: "The command line",
};

const SHORT = `Nido hatches real virtual machines, and clears the nest when you are done.

  nido spawn                  hatch a VM and wait until it is ready
  nido exec NAME -- COMMAND   run a command in it
  nido ssh NAME               open a shell in it
  nido list                   see who is in the nest
  nido delete NAME --force    let it go

  nido help                   every command
  nido doctor                 check that this machine can run VMs
`;

/** What `nido` alone says. */
export function shortHelp(): string {
  return SHORT;
}

/** Answers `nido help [COMMAND]`. */
export async function help(argv: string[]): Promise<number> {
  try {
    writeOut(await helpFor(argv.filter((word) => !word.startsWith("-"))));
    return 0;
  } catch (thrown) {
    return renderFailure("help", toNidoError(thrown), { json: false, quiet: false });
  }
}

async function helpFor(words: string[]): Promise<string> {
  if (words.length === 0) return await topHelp();
  const named = resolve(words);
  if ("operation" in named) return await commandHelp(await load(named.operation));
  if ("terminal" in named) return terminalHelp(named.terminal);
  return "noun" in named ? await nounHelp(named.noun) : await topHelp();
}

/** Every command, by group. */
export async function topHelp(): Promise<string> {
  const { bold } = paint(Deno.stdout);
  const nouns = new Set(Object.keys(operations).map(nounOf));
  const groups = new Set([...Object.keys(GROUPS), ...nouns]);
  const blocks = await Promise.all(Array.from(groups, async (group) => {
    const lines = await commandLines(group);
    return lines.length === 0 ? "" : `${bold(GROUPS[group] ?? group)}\n${lines.join("\n")}\n`;
  }));
  return [
    "Usage: nido COMMAND [OPTIONS]\n",
    ...blocks.filter((block) => block !== ""),
    "nido help COMMAND tells more. --json works everywhere; so does --quiet.\n",
  ].join("\n");
}

/** The commands of one noun. */
export async function nounHelp(noun: string): Promise<string> {
  const lines = await commandLines(noun);
  return `Usage: nido ${noun} COMMAND [OPTIONS]\n\n${
    lines.join("\n")
  }\n\nnido help ${noun} COMMAND tells more.\n`;
}

async function commandLines(group: string): Promise<string[]> {
  const names = Object.keys(operations).filter((name) => nounOf(name) === group);
  const own = await Promise.all(names.map(async (name) => {
    const { summary, surfaces } = await load(name);
    if (!surfaces.includes("cli")) return [];
    const aliases = aliasesOf(name);
    return [
      line(
        wordsOf(name),
        aliases.length > 0 ? `${summary} (also: ${aliases.join(", ")})` : summary,
      ),
    ];
  }));
  const others = Object.entries(terminal).filter(([, verb]) =>
    verb.group === group && !verb.hidden
  );
  return [...own.flat(), ...others.map(([word, { summary }]) => line(word, summary))];
}

function line(word: string, summary: string): string {
  return `  ${word.padEnd(18)} ${summary}`;
}

/** One operation: what it is for, its arguments and flags, examples. */
export async function commandHelp(operation: Operation): Promise<string> {
  const { Command, Option } = await import("commander");
  const fields = fieldsOf(operation).map((field) => ({ ...field, description: described(field) }));
  const command = describe(operation, fields, Command, Option)
    .name(`nido ${wordsOf(operation.name)}`)
    .usage(usage(fields, operation.passThrough === true))
    .description([operation.summary + ".", operation.description ?? ""].join("\n\n").trim())
    .configureHelp({ helpWidth: columns() ?? 100, showGlobalOptions: false });
  for (const { flag, option, description } of fields.filter(({ positional }) => positional)) {
    command.argument(flag, option ? `${description} (or ${option})` : description);
  }
  const aliases = aliasesOf(operation.name);
  return [
    command.helpInformation(),
    aliases.length > 0 ? `\nAlso: ${aliases.map((alias) => `nido ${alias}`).join(", ")}\n` : "",
    examples(operation.examples ?? []),
  ].join("");
}

/** One command that is no operation. */
export function terminalHelp(word: string): string {
  const verb = terminal[word]!;
  return `Usage: nido ${word} ${verb.usage}\n\n${verb.summary}.\n${examples(verb.examples)}`;
}

function examples(lines: string[]): string {
  return lines.length > 0
    ? `\nExamples:\n${lines.map((example) => `  ${example}\n`).join("")}`
    : "";
}

/** What follows a command's words: `[options] <name> [--] <command...>`. */
export function usage(fields: Field[], passThrough: boolean): string {
  const positions = fields.filter(({ positional }) => positional);
  const shown = positions.map(({ flag, shape, required }) => {
    const name = shape === "list" ? `${flag}...` : flag;
    return required ? `<${name}>` : `[${name}]`;
  });
  if (passThrough) shown.splice(-1, 0, "[--]");
  return ["[options]", ...shown].join(" ");
}

function described({ description, default: initial, shape, unit, number }: Field): string {
  if (shape === "switch" && initial === true) {
    return `Turn off: ${description.charAt(0).toLowerCase()}${description.slice(1)}`;
  }
  if (initial === undefined || shape === "switch") return description;
  if (typeof initial === "object" || initial === "") return description;
  const value = unit && number
    ? (unit.kind === "size" ? formatBytes : formatDuration)(Number(initial) * unit.scale)
    : String(initial);
  return `${description} (default ${value})`;
}
