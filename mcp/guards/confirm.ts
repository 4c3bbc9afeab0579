import { NidoError } from "../../lib/errors.ts";
import { type Call, effectOf, type Guard } from "../../lib/operation.ts";
import { namesNothing } from "../tool_schema.ts";
import { toolName } from "../toolsets.ts";

/** Asks the person behind a client; undefined when that can't be done. */
export type Ask = (question: string) => Promise<"yes" | "no" | undefined>;

/**
 * Refuses what forces, or destroys several things, unless the caller says that it is meant. A person
 * who can be asked is asked besides, and may refuse.
 */
export function confirmGuard(confirmed: boolean, ask?: Ask): Guard {
  return async (call, go) => {
    const what = whatIsLost(call);
    if (what === undefined) return await go(call.input);
    const name = toolName(call.operation.name);
    if (!confirmed) {
      throw new NidoError("denied", `Cannot run ${call.operation.name}: it would ${what}`, {
        hint: `${name} ${JSON.stringify({ ...given(call), confirm: true })}, when that is meant`,
      });
    }
    if (await ask?.(`May the agent call ${name}? It would ${what}.`) === "no") {
      throw new NidoError("denied", `Cannot run ${call.operation.name}: the user refused it`, {
        hint: "Ask the user what to do instead",
      });
    }
    return await go(call.input);
  };
}

/** What of a call must be confirmed, in words; undefined when nothing. */
export function whatIsLost({ operation, input }: Call): string | undefined {
  const forced = input.force === true ? " by force" : "";
  if (effectOf(operation, input) === "destroy" && input.dryRun !== true) {
    const many = Object.values(input).find((value) => Array.isArray(value)) as
      | string[]
      | undefined;
    if (many && (many.length > 1 || forced)) return `destroy ${many.join(", ")}${forced}`;
    if (namesNothing(operation)) return `destroy all that match${forced}`;
  }
  return forced
    ? `act${forced}${typeof input.name === "string" ? ` on ${input.name}` : ""}`
    : undefined;
}

/** The call's own words, without what is the default anyway. */
function given({ operation, input }: Call): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).filter(([key, value]) => {
      const initial = operation.input.shape[key]?.safeParse(undefined);
      return !(initial?.success && initial.data === value);
    }),
  );
}
