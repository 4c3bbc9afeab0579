import type { z } from "zod";
import { fieldKind, type Operation } from "../operation.ts";
import { type Unit, unitOf, withoutUnit } from "../units.ts";

/** What the command line knows of one input key, computed from its schema. */
export interface Field {
  key: string;
  /** `--memory`, or the name of the position: `name`. */
  flag: string;
  /** The flag that says it too, of a position that may be left out: `--template`. */
  option?: string;
  short?: string;
  shape: "text" | "number" | "switch" | "choice" | "list" | "map";
  /** The schema of one value: of the element for lists and maps. */
  choices?: string[];
  number: boolean;
  unit?: Unit;
  /** The value is the text of a file, or of standard input for `-`. */
  content: boolean;
  /** The value names a file here, which completion may offer. */
  path: boolean;
  /** How the value is shown: `SIZE`. */
  shown: string;
  description: string;
  required: boolean;
  default?: unknown;
  positional: boolean;
}

/** The input of an operation as the command line takes it, positions first. */
export function fieldsOf(operation: Operation): Field[] {
  const shape = operation.input.shape as Record<string, z.ZodType>;
  const keys = Object.keys(shape);
  const rest = keys.filter((key) => !operation.positional.includes(key));
  return [...operation.positional, ...rest].map((key) => fieldOf(operation, key, shape[key]!));
}

function fieldOf(operation: Operation, key: string, schema: z.ZodType): Field {
  const { inner, required, initial, description } = unwrap(schema);
  const type = inner.def.type;
  const many = type === "array" || type === "record";
  const item = type === "array"
    ? unwrap((inner as z.ZodArray).element as z.ZodType).inner
    : type === "record"
    ? unwrap((inner as z.ZodRecord).valueType as z.ZodType).inner
    : inner;
  const kinds = [schema, inner, item].map(fieldKind);
  const positional = operation.positional.includes(key);
  const unit = unitOf(key);
  const choices = choicesOf(item);
  const field: Field = {
    key,
    flag: "",
    short: operation.short?.[key],
    shape: shapeOf(operation.name, key, type, choices),
    choices,
    number: item.def.type === "number",
    unit: item.def.type === "number" ? unit : undefined,
    content: kinds.includes("content"),
    path: kinds.includes("content") || kinds.includes("hostPath"),
    shown: "",
    description: description ?? "",
    required,
    default: initial,
    positional,
  };
  const bare = kebab(field.unit ? withoutUnit(key) : key);
  const one = many && !positional ? singular(bare) : bare;
  field.flag = positional
    ? one
    : `--${field.shape === "switch" && initial === true ? "no-" : ""}${one}`;
  if (positional && !required && !many) field.option = `--${one}`;
  field.shown = shownValue(field, one);
  return field;
}

/** A schema without its wrappers, and what the wrappers said. */
function unwrap(schema: z.ZodType) {
  let inner = schema;
  let required = true;
  let initial: unknown;
  let description = schema.description;
  for (;;) {
    const def = inner.def as {
      type: string;
      innerType?: z.ZodType;
      in?: z.ZodType;
      defaultValue?: unknown;
    };
    if (def.type === "optional" || def.type === "default" || def.type === "prefault") {
      required = false;
    }
    if (def.type === "default" || def.type === "prefault") initial = def.defaultValue;
    const next = def.innerType ?? (def.type === "pipe" ? def.in : undefined);
    if (!next) return { inner, required, initial, description };
    inner = next;
    description ??= inner.description;
  }
}

function choicesOf(item: z.ZodType): string[] | undefined {
  if (item.def.type === "enum") return (item as z.ZodEnum).options.map(String);
  if (item.def.type === "literal") return [...(item as z.ZodLiteral).values].map(String);
  return undefined;
}

function shapeOf(
  operation: string,
  key: string,
  type: string,
  choices: string[] | undefined,
): Field["shape"] {
  if (type === "array") return "list";
  if (type === "record") return "map";
  if (type === "boolean") return "switch";
  if (choices) return "choice";
  if (type === "number") return "number";
  if (type === "string" || type === "union" || type === "custom") return "text";
  throw new Error(`the command line can't show ${operation}'s ${key}: it has no form for ${type}`);
}

/** `sshKeys` is `ssh-keys`. */
export function kebab(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function singular(word: string): string {
  return word.replace(/ies$/, "y").replace(/([^s])s$/, "$1");
}

function shownValue(field: Field, bare: string): string {
  if (field.choices) return field.choices.join("|");
  if (field.content) return "FILE";
  if (field.shape === "map") return "KEY=VALUE";
  if (field.unit) return field.unit.kind === "size" ? "SIZE" : "TIME";
  if (field.number) return "N";
  return field.path ? "PATH" : bare.split("-").at(-1)!.toUpperCase();
}
