import { NidoError } from "../errors.ts";
import { nearestName } from "../nearest_name.ts";
import { aliases, operations } from "../operations.ts";
import { terminal } from "./terminal.ts";

/** Nouns that are not said on the command line: `vm.spawn` is `nido spawn`. */
const SILENT = ["vm", "system"];

/** The words a person types for an operation: `vm.ssh_info` is `ssh-info`, `image.list` is `image list`. */
export function wordsOf(name: string): string {
  const [noun, verb] = spell(name);
  return SILENT.includes(noun) ? verb : `${noun} ${verb}`;
}

/** The other words for an operation. */
export function aliasesOf(name: string): string[] {
  return Object.keys(aliases).filter((alias) => aliases[alias] === name);
}

/** The noun of an operation's name. */
export function nounOf(name: string): string {
  return spell(name)[0];
}

function spell(name: string): [noun: string, verb: string] {
  const [noun = "", verb = ""] = name.split(".");
  return [noun, verb.replaceAll("_", "-")];
}

/** What the first words of a command line name. */
export type Named =
  | { operation: string; rest: string[] }
  | { terminal: string; rest: string[] }
  | { noun: string; rest: string[] }
  | { nothing: true; rest: string[] };

const GLOBAL = ["--json", "--quiet", "-q", "--help", "-h"];

/** Finds what a command line names; flags that hold everywhere may stand before and between the words. */
export function resolve(argv: string[]): Named {
  const flags: string[] = [];
  const words: string[] = [];
  let at = 0;
  for (; at < argv.length && words.length < 2; at++) {
    const token = argv[at]!;
    if (GLOBAL.includes(token)) flags.push(token);
    else if (token.startsWith("-") && words.length === 0) throw unknownFlag(token);
    else if (words.push(token) === 1 && !isNoun(token)) {
      return named(token, [...flags, ...argv.slice(at + 1)]) ?? fail(token);
    }
  }
  const rest = [...flags, ...argv.slice(at)];
  const [noun, verb] = words;
  if (noun === undefined) return { nothing: true, rest };
  if (verb === undefined || verb === "help") return { noun, rest };
  const alias = aliased(`${noun} ${verb}`) ?? aliased(verb);
  const known = `${noun}.${verb.replaceAll("-", "_")}`;
  if (known in operations && !verb.includes("_")) return { operation: known, rest };
  if (alias !== undefined && nounOf(alias) === noun) return { operation: alias, rest };
  return fail(`${noun} ${verb}`, [noun]);
}

function named(word: string, rest: string[]): Named | undefined {
  if (Object.hasOwn(terminal, word)) return { terminal: word, rest };
  const operation = Object.keys(operations).find((name) => wordsOf(name) === word) ?? aliased(word);
  return operation === undefined ? undefined : { operation, rest };
}

function aliased(words: string): string | undefined {
  const name = Object.hasOwn(aliases, words) ? aliases[words]! : undefined;
  return name !== undefined && name in operations ? name : undefined;
}

/** Whether a word is a noun that operations hang on. */
export function isNoun(word: string): boolean {
  return Object.keys(operations).some((name) => nounOf(name) === word);
}

/** Every first word and noun-verb pair that means something. */
export function allWords(): string[] {
  const shown = Object.entries(terminal).filter(([, { hidden }]) => !hidden).map(([word]) => word);
  const live = Object.keys(aliases).filter(aliased);
  return [...Object.keys(operations).map(wordsOf), ...live, ...shown];
}

function fail(typed: string, nouns: string[] = []): never {
  const near = nearestName(typed, allWords());
  const help = nouns.length > 0 ? `nido help ${nouns[0]}` : "nido help";
  throw new NidoError("invalid_input", `Unknown command "${typed}"`, {
    hint: near ? `nido ${near}` : help,
    details: { command: typed, nearest: near },
  });
}

function unknownFlag(flag: string): NidoError {
  return new NidoError("invalid_input", `Unknown option ${flag} before a command`, {
    hint: "nido help",
  });
}
