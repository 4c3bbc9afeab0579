import { isDeepStrictEqual } from "node:util";
import type { Merge } from "./merge.ts";

type Table = Record<string, Record<string, unknown> | undefined>;

/**
 * Puts a table into TOML, or takes it out. smol-toml 1.9 writes no comments, so the table is cut and
 * appended as text, and the library proves that nothing else has changed.
 */
export const tomlMerge: Merge = async (text, [section, name], entry) => {
  const { parse, stringify } = await import("smol-toml");
  // smol-toml gives objects without a prototype, which equal no others.
  const read = (text: string) => JSON.parse(JSON.stringify(parse(text))) as Table;
  const before = read(text);
  if (isDeepStrictEqual(before[section]?.[name], entry)) return text;
  const rest = without(text, [section, name]);
  const block = entry && stringify({ [section]: { [name]: entry } });
  const head = rest.trimEnd();
  const after = !block ? `${head}\n` : head === "" ? block : `${head}\n\n${block}`;
  const wanted = structuredClone(before);
  delete wanted[section]?.[name];
  if (entry) (wanted[section] ??= {})[name] = entry;
  if (Object.keys(wanted[section] ?? {}).length === 0) delete wanted[section];
  const got = read(after);
  if (Object.keys(got[section] ?? {}).length === 0) delete got[section];
  if (!isDeepStrictEqual(got, wanted)) {
    throw new SyntaxError(`its ${section}.${name} is written in a way that only you can change`);
  }
  return after;
};

/** The text without the lines of a table and of those inside it. */
function without(text: string, path: string[]): string {
  const header = new RegExp(`^\\s*\\[\\s*${path.join("\\s*\\.\\s*")}\\s*[\\].]`);
  let isInside = false;
  const kept: string[] = [];
  for (const line of text.split("\n")) {
    if (/^\s*\[/.test(line)) isInside = header.test(line);
    if (!isInside) kept.push(line);
  }
  return kept.join("\n");
}
