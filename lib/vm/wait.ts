import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { field, operation } from "../operation.ts";
import { waitForReady } from "./ready.ts";
import { mustBe, mustBeSound, openVm, vmField, vmState } from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  for: z.enum(["ready", "running", "stopped"]).default("ready").describe("What to wait for"),
  timeoutSeconds: field("rare", z.int().min(1).max(86_400).default(600)).describe(
    "Seconds to wait",
  ),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: vmState,
  problems: z.array(z.string()).describe("What went wrong without stopping it"),
});

/** Waits until a VM is ready, running or stopped. */
export async function wait(
  context: Context,
  request: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const { name, timeoutSeconds } = request;
  if (request.for !== "ready") {
    return await waitForState(context, name, request.for, timeoutSeconds);
  }
  const vm = await openVm(context, name);
  mustBe(vm, "wait for", ["running"]);
  const { firstBoot } = await waitForReady(context, mustBeSound(vm), timeoutSeconds);
  const { state, problems } = await openVm(context, name);
  return { name, state, problems: [...problems, ...firstBoot.problems] };
}

async function waitForState(
  context: Context,
  name: string,
  wanted: "running" | "stopped",
  timeoutSeconds: number,
): Promise<z.input<typeof output>> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  for (;;) {
    context.signal.throwIfAborted();
    const vm = await openVm(context, name);
    mustBeSound(vm);
    const isThere = vm.state === wanted || (wanted === "stopped" && vm.state === "crashed");
    if (isThere) return { name, state: vm.state, problems: vm.problems };
    if (performance.now() > deadline) {
      throw new NidoError(
        "timeout",
        `VM "${name}" was not ${wanted} within ${timeoutSeconds} s: it is ${vm.state}`,
        { hint: `nido info ${name}`, details: { state: vm.state } },
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export default operation({
  name: "vm.wait",
  summary: "Wait until a VM is ready, running or stopped",
  description: "Returns when it is; a timeout tells the stage and the last console lines.",
  effect: "read",
  input,
  output,
  positional: ["name"],
  examples: ["nido wait web", "nido wait web --for stopped --timeout 60s"],
  text: ({ name, state }) => `"${name}" is ${state}`,
  run: wait,
});
