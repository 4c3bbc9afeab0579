import { pagedKey } from "./tool_schema.ts";
import type { Tool } from "./tools.ts";

/** What one text of a result may be, in characters; what was asked for by range may be longer. */
const TEXT = 8 * 1024;
const RANGE_TEXT = 96 * 1024;
/** What a page may hold. */
const PAGE_ROWS = 100;
const PAGE_CHARACTERS = 48 * 1024;

type Data = Record<string, unknown>;

/** A result in the size that hosts show: long texts without their middle, long lists in pages. */
export function bounded(tool: Tool, result: Data, offset = 0): Data {
  const byRange = "offset" in tool.operation.input.shape;
  const data = shorten(JSON.parse(JSON.stringify(result)), byRange ? RANGE_TEXT : TEXT) as Data;
  const key = pagedKey(tool.operation);
  if (key !== undefined) return page(tool, data, key, offset);
  for (const [key, value] of Object.entries(data)) {
    if (!Array.isArray(value)) continue;
    const rows = rowsThatFit(value);
    if (rows === value.length) continue;
    data[key] = value.slice(0, rows);
    data.hint ??= `${key} has ${value.length} entries; these are the first ${rows}`;
  }
  return data;
}

function page(tool: Tool, data: Data, key: string, offset: number): Data {
  const all = data[key] as unknown[];
  const rest = all.slice(offset);
  const rows = rowsThatFit(rest);
  if (offset === 0 && rows === all.length) return data;
  const next = offset + rows;
  return {
    ...data,
    [key]: rest.slice(0, rows),
    total: all.length,
    ...(next < all.length
      ? { nextOffset: next, hint: `${tool.name} {"offset":${next}} for the rest` }
      : {}),
  };
}

function rowsThatFit(rows: unknown[]): number {
  let characters = 0;
  for (const [index, row] of rows.entries()) {
    characters += JSON.stringify(row).length;
    if (index >= PAGE_ROWS || (index > 0 && characters > PAGE_CHARACTERS)) return index;
  }
  return rows.length;
}

function shorten(value: unknown, limit: number): unknown {
  if (typeof value === "string") return headAndTail(value, limit);
  if (Array.isArray(value)) return value.map((item) => shorten(item, limit));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, shorten(inner, limit)]),
  );
}

/** The beginning and the end of a text that is too long, and how much is missing between them. */
export function headAndTail(text: string, limit: number): string {
  if (text.length <= limit + 64) return text; // what an operation cut itself says so in a line
  const half = Math.floor(limit / 2);
  const head = text.slice(0, half).replace(/[\ud800-\udbff]$/, "");
  const tail = text.slice(-half).replace(/^[\udc00-\udfff]/, "");
  const missing = text.length - head.length - tail.length;
  return `${head}\n[... ${missing} characters left out ...]\n${tail}`;
}
