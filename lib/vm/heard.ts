import type { Context } from "../context.ts";
import { type SoundVm, withMonitor } from "./vm.ts";

/** Whether a program in the guest has one of its ports open: the one it is renewed by, or its agent's. */
export async function isHeard(
  context: Context,
  vm: SoundVm,
  port: "hatch" | "agent",
): Promise<boolean> {
  const ports = await withMonitor(
    context,
    vm,
    "work",
    (qmp) => qmp.execute<{ label: string; "frontend-open": boolean }[]>("query-chardev"),
  );
  return ports.some(({ label, ...seen }) => label === port && seen["frontend-open"]);
}
