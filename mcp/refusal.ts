import { type NidoError, toNidoError } from "../lib/errors.ts";
import { headAndTail } from "./bounded.ts";
import { hintOfCalls } from "./hints.ts";
import type { CallToolResult } from "./sdk.ts";

const DETAILS = 2048;

/** An error as a model reads it: what happened, the next call to make, the facts. */
export async function refusal(
  thrown: unknown,
  tools: Map<string, unknown>,
): Promise<CallToolResult> {
  return {
    content: [{ type: "text", text: await told(toNidoError(thrown), tools) }],
    isError: true,
  };
}

async function told(error: NidoError, tools: Map<string, unknown>): Promise<string> {
  const { code, message, hint, details } = error;
  const lines = [`${code}: ${message}`];
  if (hint) lines.push(`Hint: ${await hintOfCalls(hint, tools)}`);
  const facts = Object.entries(details ?? {}).filter(([, value]) => value !== undefined);
  if (facts.length > 0) {
    lines.push(`Details: ${headAndTail(JSON.stringify(Object.fromEntries(facts)), DETAILS)}`);
  }
  return lines.join("\n");
}
