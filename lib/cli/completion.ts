import type { Command, Complete, RootCommand } from "@bomb.sh/tab";
import { NidoError } from "../errors.ts";
import { operations } from "../operations.ts";
import { files } from "../store/files.ts";
import { homePath } from "../store/home.ts";
import { namesIn } from "../store/record.ts";
import { type Field, fieldsOf } from "./fields.ts";
import { load } from "./run.ts";
import { writeOut } from "./streams.ts";
import { terminal } from "./terminal.ts";
import { nounOf, resolve, wordsOf } from "./words.ts";

const SHELLS = ["bash", "zsh", "fish", "powershell"];
/** tab's bash script (0.0.22) wants a function of the bash-completion package, which may be absent. */
const BASH_WORDS = `declare -F _get_comp_words_by_ref > /dev/null || _get_comp_words_by_ref() {
    cword=$COMP_CWORD words=("\${COMP_WORDS[@]}")
    cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
}
`;
/** The line by which tab tells a shell to offer file names (0: no directive against it). */
const OFFER_FILES = ":0\n";

/** Prints the script that teaches a shell to complete `nido`. */
export async function completion(argv: string[]): Promise<number> {
  const [shell = ""] = argv;
  if (!SHELLS.includes(shell) || argv.length > 1) {
    throw new NidoError("invalid_input", `Cannot run completion: expected ${SHELLS.join(", ")}`, {
      hint: "nido completion bash",
    });
  }
  const { script } = await import("@bomb.sh/tab");
  if (shell === "bash") writeOut(BASH_WORDS);
  script(shell, "nido", "nido");
  return 0;
}

/** Answers a shell's question: what could the last of these words become? */
export async function complete(argv: string[]): Promise<number> {
  const { default: root } = await import("@bomb.sh/tab");
  const typed = argv[0] === "--" ? argv.slice(1) : argv;
  const { words, operation } = plainly(typed);
  const names = await knownNames(homePath());
  for (const name of Object.keys(operations)) {
    const { summary, surfaces } = await load(name);
    if (!surfaces.includes("cli")) continue;
    const command = root.command(wordsOf(name), summary);
    if (name === operation) await addFields(command, name, names);
    addNoun(root, name);
  }
  for (const [word, { summary, hidden, usage }] of Object.entries(terminal)) {
    if (hidden) continue;
    const command = root.command(word, summary);
    if (usage.startsWith("NAME")) command.argument("name", offering(names.vm!));
    if (word === "completion") command.argument("shell", offering(SHELLS));
  }
  if (operation && await wantsFile(operation, words)) writeOut(OFFER_FILES);
  else if (words[0] === "cp") writeOut(OFFER_FILES);
  else root.parse(words);
  return 0;
}

/** The words as they are without aliases and silent nouns, and the operation that they name. */
function plainly(typed: string[]): { words: string[]; operation?: string } {
  const finished = typed.slice(0, -1);
  try {
    const named = resolve(finished);
    if (!("operation" in named)) return { words: typed };
    const words = [...wordsOf(named.operation).split(" "), ...named.rest, typed.at(-1) ?? ""];
    return { words, operation: named.operation };
  } catch {
    return { words: typed }; // a word that names nothing has nothing to offer
  }
}

function addNoun(root: RootCommand, name: string): void {
  const [first = "", second] = wordsOf(name).split(" ");
  if (second !== undefined && !root.commands.has(first)) root.command(first, `Work with ${first}`);
}

async function addFields(
  command: Command,
  name: string,
  names: Record<string, string[]>,
): Promise<void> {
  for (const field of fieldsOf(await load(name))) {
    const offers = offering(field.choices ?? namesFor(field, name, names));
    if (field.positional) command.argument(field.key, offers, field.shape === "list");
    if (field.option) command.option(field.option.slice(2), field.description, offers);
    if (field.positional) continue;
    if (field.shape === "switch") command.option(bare(field), field.description, field.short);
    else command.option(bare(field), field.description, offers, field.short);
  }
  command.option("json", "one JSON object on standard output");
  command.option("quiet", "no progress, only the result", "q");
  command.option("help", "show help", "h");
}

function bare(field: Field): string {
  return field.flag.replace(/^--/, "");
}

/** The names that a field may mean: of VMs for a VM's name, of images for an image's. */
function namesFor(field: Field, operation: string, names: Record<string, string[]>): string[] {
  if (field.key === "image" || field.key === "template") return names[field.key]!;
  const named = field.positional && /^names?$/.test(field.key);
  const exists = !["vm.spawn", "image.import"].includes(operation);
  return named && exists ? names[nounOf(operation)] ?? [] : [];
}

function offering(values: string[]): (complete: Complete) => void {
  return (complete) => values.forEach((value) => complete(value, ""));
}

async function knownNames(home: string): Promise<Record<string, string[]>> {
  const images = await namesIn(files.images(home));
  const templates = await namesIn(files.templates(home));
  return {
    vm: await namesIn(files.vms(home)),
    image: images.filter((file) => file.endsWith(".json")).map((file) => file.slice(0, -5)),
    template: templates.filter((name) => !name.startsWith(".")),
  };
}

/** Whether the word being typed is a file of this machine. */
async function wantsFile(operation: string, words: string[]): Promise<boolean> {
  const fields = fieldsOf(await load(operation));
  const before = words.at(-2);
  const option = fields.find(({ flag, short }) => before === flag || before === `-${short}`);
  if (option && option.shape !== "switch") return option.path;
  if (words.at(-1)?.startsWith("-")) return false;
  const given = words.slice(wordsOf(operation).split(" ").length, -1);
  const position = given.filter((word) => !word.startsWith("-")).length;
  return fields.filter(({ positional }) => positional)[position]?.path ?? false;
}
