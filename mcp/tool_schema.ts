import { z } from "zod";
import { effectOf, fieldKind, innermost, type Operation } from "../lib/operation.ts";

/** A JSON Schema, as far as tools need it. */
export interface JsonSchema {
  type?: string;
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  [keyword: string]: unknown;
}

/** An object's JSON Schema: what a tool takes or gives. */
export type ObjectSchema = JsonSchema & { type: "object"; properties: Record<string, JsonSchema> };

/** Fields that tools have besides those of their operation. */
export const toolFields = {
  confirm: z.boolean().describe("True: forcing, or destroying several, is meant"),
  offset: z.int().min(0).max(1_000_000).describe("nextOffset of the page before"),
};

/** What a tool's result holds besides its operation's. */
const told = {
  hint: z.string().describe("The next call to make"),
  pending: z.boolean().describe("True: it goes on, and this is what is known so far"),
  stage: z.string().describe("What it is doing"),
  job: z.string().describe("Id of the job that goes on with it"),
  nextOffset: z.int().min(0).max(1_000_000).describe("Where the rest of the list begins"),
  total: z.int().min(0).max(1_000_000).describe("How many there are in all"),
};

/**
 * What costs a model tokens and tells it nothing, or what only a program would check: the call checks
 * all of it anyway. Results are checked before they are sent.
 */
const INPUT = [
  ...["$schema", "pattern", "minLength", "maxLength", "maxItems", "propertyNames"],
  "additionalProperties",
];
const OUTPUT = [...INPUT, "minimum", "maximum", "format", "const", "description"];
/** Bounds beyond these surprise nobody. */
const USUAL = { minimum: 1, maximum: 1000 };

const TOOL_FIELDS = jsonSchema(z.object(toolFields), "input").properties;
const TOLD = jsonSchema(z.object(told), "output").properties;

/** Whether a tool may answer before its work is done, because nobody waits for it that long. */
export function mayBePending(operation: Operation): boolean {
  const { long, input } = operation;
  return long === true || effectOf(operation) !== "read" || "timeoutSeconds" in input.shape;
}

/** The one list that a reading operation gives, which is paged. */
export function pagedKey(operation: Operation): string | undefined {
  if (!operation.name.endsWith(".list")) return undefined;
  const shape = operation.output.shape as Record<string, z.ZodType>;
  const lists = Object.keys(shape).filter((key) => shape[key] instanceof z.ZodArray);
  return lists.length === 1 ? lists[0] : undefined;
}

/** Whether some call of this operation must be confirmed. */
export function mayNeedConfirmation(operation: Operation): boolean {
  const shape = operation.input.shape as Record<string, z.ZodType>;
  if ("force" in shape) return true;
  const takesMany = Object.values(shape).some((schema) => innermost(schema) instanceof z.ZodArray);
  return operation.effect === "destroy" && (takesMany || namesNothing(operation));
}

/** Whether an operation works on all that match rather than on what is named. */
export function namesNothing({ input }: Operation): boolean {
  return input.safeParse({}).success;
}

/** The input keys that a tool doesn't have, because they are of this machine or of a terminal. */
export function hiddenKeys(operation: Operation, hasWorkspace: boolean): string[] {
  return Object.entries(operation.input.shape as Record<string, z.ZodType>)
    .filter(([, schema]) => {
      const kind = fieldKind(schema);
      return kind === "commandLine" || (kind === "hostPath" && !hasWorkspace);
    })
    .map(([key]) => key);
}

/** What a tool takes. */
export function inputSchema(operation: Operation, hasWorkspace: boolean): ObjectSchema {
  const schema = jsonSchema(operation.input, "input");
  for (const key of hiddenKeys(operation, hasWorkspace)) delete schema.properties[key];
  for (const [key, field] of Object.entries(operation.input.shape as Record<string, z.ZodType>)) {
    if (fieldKind(field) === "rare") delete schema.properties[key];
  }
  if (mayNeedConfirmation(operation)) schema.properties.confirm = TOOL_FIELDS.confirm!;
  if (pagedKey(operation)) schema.properties.offset = TOOL_FIELDS.offset!;
  return schema;
}

/** What a tool gives. What may be told before the end has no field that must be there. */
export function outputSchema(operation: Operation): ObjectSchema {
  const schema = jsonSchema(operation.output, "output");
  const keys = [
    "hint",
    ...(mayBePending(operation) ? ["pending", "stage"] : []),
    ...(operation.long ? ["job"] : []),
    ...(pagedKey(operation) ? ["nextOffset", "total"] : []),
  ];
  for (const key of keys) schema.properties[key] ??= TOLD[key]!;
  if (mayBePending(operation)) delete schema.required;
  return schema;
}

function jsonSchema(schema: z.ZodObject, io: "input" | "output"): ObjectSchema {
  const whole = z.toJSONSchema(schema, { io }) as ObjectSchema;
  const lean = (io === "input" ? leaner(whole, INPUT) : leaner(whole, OUTPUT)) as ObjectSchema;
  return { ...lean, properties: lean.properties ?? {} };
}

function leaner(schema: JsonSchema, without: string[]): JsonSchema {
  const lean: JsonSchema = Object.fromEntries(
    Object.entries(schema).filter(([key, value]) =>
      !without.includes(key) || (key === "additionalProperties" && typeof value === "object")
    ),
  );
  if (lean.default === false) delete lean.default;
  if (Number(lean.maximum) > USUAL.maximum) delete lean.maximum;
  if (Number(lean.minimum) <= USUAL.minimum) delete lean.minimum;
  if (lean.items) lean.items = leaner(lean.items, without);
  if (typeof lean.additionalProperties === "object") {
    lean.additionalProperties = leaner(lean.additionalProperties, without);
  }
  if (lean.properties) {
    lean.properties = Object.fromEntries(
      Object.entries(lean.properties).map(([key, inner]) => [
        key,
        leaner(inner, without),
      ]),
    );
  }
  return lean;
}
