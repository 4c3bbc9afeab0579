import type { Guard } from "../../lib/operation.ts";

/** The label by which a session's VMs are known. */
export const SESSION_LABEL = "nido.session";

/** Puts the session's label on every VM that it makes. */
export function labelGuard(session: string): Guard {
  return async ({ operation, input }, go) => {
    const makesVm = operation.name.startsWith("vm.") && operation.effect === "create";
    if (!makesVm || !("labels" in operation.input.shape)) return await go(input);
    const labels = input.labels as Record<string, string> | undefined;
    return await go({ ...input, labels: { ...labels, [SESSION_LABEL]: session } });
  };
}
