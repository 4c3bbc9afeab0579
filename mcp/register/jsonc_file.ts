import type { ParseError } from "jsonc-parser";
import type { Merge } from "./merge.ts";

/** Puts an entry into JSON with comments, or takes it out; everything else stays as it is written. */
export const jsoncMerge: Merge = async (text, [section, name], entry) => {
  const { applyEdits, modify, parse, printParseErrorCode } = await import("jsonc-parser");
  const errors: ParseError[] = [];
  const value = parse(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (text.trim() !== "" && error) {
    const line = text.slice(0, error.offset).split("\n").length;
    throw new SyntaxError(`line ${line}: ${printParseErrorCode(error.error)}`);
  }
  if (value !== undefined && !isObject(value)) throw new SyntaxError("it is no object");
  if (value?.[section] !== undefined && !isObject(value[section])) {
    throw new SyntaxError(`its ${section} is no object`);
  }
  if (JSON.stringify(value?.[section]?.[name]) === JSON.stringify(entry)) return text;
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? "  ";
  const formattingOptions = {
    insertSpaces: !indent.includes("\t"),
    tabSize: indent.includes("\t") ? 1 : indent.length,
    eol: text.includes("\r\n") ? "\r\n" : "\n",
  };
  const base = value === undefined ? "{}\n" : text;
  return applyEdits(base, modify(base, [section, name], entry, { formattingOptions }));
};

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
