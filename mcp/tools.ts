import { load } from "../lib/cli/run.ts";
import { type Effect, effectOf, fieldKind, type Operation } from "../lib/operation.ts";
import { inputSchema, type ObjectSchema, outputSchema } from "./tool_schema.ts";
import { asTools } from "./hints.ts";
import type { ListedTool } from "./sdk.ts";
import { type Choice, chosen, toolName } from "./toolsets.ts";

/** An operation as a tool. */
export interface Tool {
  name: string;
  operation: Operation;
  /** How it is listed. */
  listed: ListedTool;
}

/** What a server offers. */
export interface Offer extends Choice {
  /** Only what changes nothing. */
  readOnly?: boolean;
  /** The folder of this machine that copies may touch. */
  workspace?: string;
  /** Leaves out what would be refused always. */
  isAllowed?: (operation: Operation) => boolean;
}

/** The tools of an offer, by name. */
export async function offeredTools(offer: Offer): Promise<Map<string, Tool>> {
  const loaded = await Promise.all(chosen(offer).map(load));
  const names = new Set(loaded.map(({ name }) => name));
  const tools = loaded.filter((operation) => isOffered(operation, offer))
    .map((operation) => toolOf(operation, offer, names));
  return new Map(tools.map((tool) => [tool.name, tool]));
}

function isOffered(operation: Operation, { readOnly, workspace, isAllowed }: Offer): boolean {
  if (!operation.surfaces.includes("mcp")) return false;
  if (readOnly && effectOf(operation) !== "read") return false;
  if (workspace === undefined && needsHostPath(operation)) return false;
  return isAllowed?.(operation) ?? true;
}

/** Whether an operation can't be called without naming a path of this machine. */
export function needsHostPath({ input }: Operation): boolean {
  return Object.values(input.shape).some((schema) =>
    fieldKind(schema) === "hostPath" && !schema.safeParse(undefined).success
  );
}

function toolOf(operation: Operation, { workspace }: Offer, names: Set<string>): Tool {
  const name = toolName(operation.name);
  const { summary, description } = operation;
  const effect = effectOf(operation);
  return {
    name,
    operation,
    listed: {
      name,
      title: summary,
      description: asTools([`${summary}.`, description ?? ""].join(" ").trim(), names),
      inputSchema: told(inputSchema(operation, workspace !== undefined), names),
      outputSchema: outputSchema(operation),
      annotations: { title: summary, ...hints(operation, effect) },
    },
  };
}

/** The same schema, whose descriptions speak of tools. */
function told(schema: ObjectSchema, names: Set<string>): ObjectSchema {
  const properties = Object.entries(schema.properties).map(([key, { description, ...rest }]) =>
    [key, { ...rest, description: asTools(description ?? "", names) }] as const
  );
  return { ...schema, properties: Object.fromEntries(properties) };
}

function hints({ idempotent, openWorld }: Operation, effect: Effect) {
  return {
    readOnlyHint: effect === "read",
    destructiveHint: effect === "destroy",
    idempotentHint: effect === "read" || idempotent,
    openWorldHint: openWorld ?? false,
  };
}
