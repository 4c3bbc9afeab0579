import { instructions } from "./instructions.ts";
import { prompts } from "./prompts.ts";
import { resources, resourceTemplates } from "./resources.ts";
import type { Service } from "./service.ts";

/** The whole surface, as a client would see it. */
export async function description({ tools }: Service): Promise<Record<string, unknown>> {
  const { default: { version } } = await import("../deno.json", { with: { type: "json" } });
  return {
    schemaVersion: 1,
    server: { name: "nido", version },
    instructions,
    tools: [...tools.values()].map(({ listed }) => listed),
    resources,
    resourceTemplates,
    prompts,
  };
}
