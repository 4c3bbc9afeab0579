import { printable } from "../printable.ts";
import { formatBytes, formatDuration, unitOf, withoutUnit } from "../units.ts";
import { kebab } from "./fields.ts";

type Row = Record<string, unknown>;

/** How wide the output may be and how headings look. */
export interface Look {
  /** Columns of the terminal; undefined means as wide as needed. */
  width?: number;
  heading: (text: string) => string;
}

const PLAIN: Look = { heading: (text) => text };

/** A result as a person reads it: fields as lines, lists of records as tables. */
export function renderResult(result: Row, look: Look = PLAIN): string {
  const keys = Object.keys(result).filter((key) => shows(result[key]));
  const tables = keys.filter((key) => isTable(result[key]));
  const simple = keys.filter((key) => !tables.includes(key));
  const parts = simple.length > 0 ? [fieldLines(result, simple, look)] : [];
  for (const key of tables) {
    const rows = result[key] as Row[];
    const alone = keys.length === 1;
    const body = rows.length > 0 ? table(rows, look) : `no ${label(key)}`;
    parts.push(alone || rows.length === 0 ? body : `${look.heading(label(key))}\n${body}`);
  }
  return parts.join("\n\n");
}

function shows(value: unknown): boolean {
  return value !== undefined && value !== null &&
    !(isRow(value) && Object.keys(value).length === 0);
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTable(value: unknown): boolean {
  return Array.isArray(value) && value.every(isRow);
}

function fieldLines(result: Row, keys: string[], look: Look): string {
  const lines = keys.flatMap((key): [string, string][] => {
    const value = result[key];
    if (!isRow(value)) return [[label(key), valueText(key, value)]];
    return Object.entries(value).filter(([, inner]) => shows(inner))
      .map(([inner, held]) => [`${label(key)} ${label(inner)}`, valueText(inner, held)]);
  });
  const wide = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => {
    const indented = text.replaceAll("\n", "\n" + " ".repeat(wide + 2));
    return look.heading(name) + " ".repeat(wide - name.length + 2) + indented;
  }).join("\n");
}

/** Rows under headings; columns from the right are left out when they don't fit. */
function table(rows: Row[], look: Look): string {
  const all = [...new Set(rows.flatMap((row) => Object.keys(row)))]
    .filter((key) => rows.some((row) => shows(row[key])) && !rows.some((row) => isTable(row[key])));
  const cells = new Map(all.map((key) => {
    const texts = rows.map((row) => valueText(key, row[key]).replaceAll("\n", " "));
    return [key, {
      texts,
      wide: Math.max(label(key).length, ...texts.map(({ length }) => length)),
    }];
  }));
  const fitting: string[] = [];
  let used = 0;
  for (const key of all) {
    used += cells.get(key)!.wide + (fitting.length > 0 ? 2 : 0);
    if (fitting.length > 0 && look.width !== undefined && used > look.width) break;
    fitting.push(key);
  }
  const line = (pick: (key: string) => string) =>
    fitting.map((key) => pick(key).padEnd(cells.get(key)!.wide)).join("  ").trimEnd();
  const body = rows.map((_, index) => line((key) => cells.get(key)!.texts[index]!));
  return [look.heading(line((key) => label(key).toUpperCase())), ...body].join("\n");
}

/** `sizeBytes` is `size`, `createdAt` is `created`. */
function label(key: string): string {
  return kebab(withoutUnit(key).replace(/(.)At$/, "$1")).replaceAll("-", " ");
}

function valueText(key: string, value: unknown): string {
  if (!shows(value)) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return quantity(key, value);
  if (typeof value === "string") {
    return key.endsWith("At")
      ? value.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC")
      : printable(value);
  }
  if (Array.isArray(value)) {
    return value.map((item) => valueText(key, item)).join(isTable(value) ? "\n" : ", ");
  }
  return Object.entries(value as Row).map(([name, held]) =>
    `${printable(name)}=${valueText(name, held)}`
  )
    .join(" ");
}

function quantity(key: string, value: number): string {
  const unit = unitOf(key);
  if (!unit) return String(value);
  return unit.kind === "size"
    ? formatBytes(value * unit.scale)
    : formatDuration(value * unit.scale);
}
