import { load } from "../lib/cli/run.ts";
import { operations } from "../lib/operations.ts";
import { inputSchema, outputSchema } from "./reference.ts";

/** Where the published schemas are kept, to be seen when they change. */
export const SCHEMAS = "tests/surface/schemas.json";

/** The published shape of every operation, as the snapshot holds it. */
export async function schemasText(): Promise<string> {
  const shapes: Record<string, unknown> = {};
  for (const name of Object.keys(operations).sort()) {
    const operation = await load(name);
    const { effect, idempotent, openWorld = false, surfaces } = operation;
    const input = inputSchema(operation);
    shapes[name] = {
      effect,
      idempotent,
      openWorld,
      surfaces,
      input,
      output: outputSchema(operation),
    };
  }
  return JSON.stringify(shapes, null, 2) + "\n";
}

if (import.meta.main) await Deno.writeTextFile(SCHEMAS, await schemasText());
