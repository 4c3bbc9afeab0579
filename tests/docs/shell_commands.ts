import type { Block } from "./markdown.ts";

const STEP = /^ *(?:- )?(?:run: )?(nido .+)$/;

/**
 * The shell lines of a block: all of them, what stands behind the prompts of a console, or the steps of
 * a CI job that call Nido.
 */
export function shellText({ language, lines }: Block): string {
  if (language === "sh") return lines.join("\n");
  if (language === "yaml") return lines.flatMap((line) => STEP.exec(line)?.[1] ?? []).join("\n");
  if (language !== "console") return "";
  return lines.filter((line) => line.startsWith("$ ")).map((line) => line.slice(2)).join("\n");
}

const BLANK = /(?:\\\n|[ \t])+|#[^\n]*/y;
const REDIRECTION = /\d*(?:>>?|<)(?!\()&?[ \t]*[^\s;|&<>]+/y;
const END = /\|\||&&|[;|&\n]/y;
const WORD = /(?:[$<]\([^)]*\)|"(?:[^"\\]|\\.)*"|'[^']*'|\\.|\$(?!\()|[^\s;|&<>'"\\$])+/y;

/**
 * The simple commands of a shell text, each as its words, those inside of substitutions too. It knows
 * what the documents use, and throws at anything else.
 */
export function simpleCommands(text: string): string[][] {
  const commands: string[][] = [[]];
  const inner: string[][] = [];
  for (let at = 0; at < text.length;) {
    const take = (shape: RegExp): string | undefined => {
      shape.lastIndex = at;
      return shape.exec(text)?.[0];
    };
    const skipped = take(BLANK) ?? take(REDIRECTION);
    const end = skipped === undefined ? take(END) : undefined;
    const word = skipped === undefined && end === undefined ? take(WORD) : undefined;
    if (end !== undefined) commands.push([]);
    if (word !== undefined) {
      commands.at(-1)!.push(unquoted(word));
      for (const [, code] of word.matchAll(/[$<]\(([^)]*)\)/g)) {
        inner.push(...simpleCommands(code!));
      }
    }
    const length = (skipped ?? end ?? word)?.length;
    if (!length) {
      throw new SyntaxError(`not read as shell: ${JSON.stringify(text.slice(at, at + 40))}`);
    }
    at += length;
  }
  return [...commands.filter((words) => words.length > 0), ...inner];
}

function unquoted(word: string): string {
  return word.replaceAll(
    /"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/g,
    (_, double, single, one) => double ?? single ?? one,
  );
}
