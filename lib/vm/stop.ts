import { z } from "zod";
import type { Context } from "../context.ts";
import { field, operation } from "../operation.ts";
import { endMachine } from "./launch.ts";
import { cutPower, shutDown, STOP_SECONDS, STOPPED_BY, type StoppedBy } from "./shut_down.ts";
import { mustBe, mustBeSound, type Vm, vmField, withVm } from "./vm.ts";

/** The output field that tells what made a VM stop. */
export const howField = z.enum(STOPPED_BY).describe(
  "What made it stop: acpi (the guest obeyed its power button), agent (its guest agent was asked as " +
    "well) or forced (its power was cut)",
);

const input = z.strictObject({
  name: vmField,
  force: z.boolean().default(false).describe(
    "Cut the power: at once, and what the guest has not written to its disk is lost",
  ),
  timeoutSeconds: field("rare", z.int().min(1).max(3600).default(STOP_SECONDS)).describe(
    "Seconds that the guest may take to shut down; then its power is cut",
  ),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: z.literal("stopped").describe("Always stopped"),
  how: howField,
  stopSeconds: z.number().describe("Seconds that it took"),
});

/** Asks the guest to shut down, waits for it and in the end forces it; with force, at once. */
export async function stop(
  context: Context,
  { name, force, timeoutSeconds }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  return await withVm(context, name, "stop", async (vm) => {
    const began = performance.now();
    const how = await stopHeld(context, vm, { force, timeoutSeconds });
    const stopSeconds = Math.round(performance.now() - began) / 1000;
    return { name, state: "stopped" as const, how, stopSeconds };
  });
}

/** Stops a VM whose lock the caller holds. */
export async function stopHeld(
  context: Context,
  vm: Vm,
  { force, timeoutSeconds }: Omit<z.output<typeof input>, "name">,
): Promise<StoppedBy> {
  let how: StoppedBy = "forced";
  if (!vm.isHalfStarted) {
    mustBe(vm, "stop", ["running", "paused"]);
    const sound = mustBeSound(vm);
    if (force) await cutPower(context, sound);
    else how = await shutDown(context, sound, timeoutSeconds);
  }
  await endMachine(vm);
  vm.state = "stopped";
  return how;
}

const BECAUSE: Record<StoppedBy, string> = {
  acpi: "its guest shut down when asked",
  agent: "its guest shut down when its agent was asked",
  forced: "its power was cut",
};

export default operation({
  name: "vm.stop",
  summary: "Shut a VM down",
  description:
    "Asks the guest to shut down by its power button, then by its guest agent, waits, and cuts the " +
    "power of one that does not; says which of these happened. Disk and settings stay.",
  effect: "change",
  input,
  output,
  positional: ["name"],
  examples: ["nido stop web", "nido stop web --timeout 2m", "nido stop web --force"],
  text: ({ name, how, stopSeconds }) => `"${name}" is asleep: ${BECAUSE[how]} (${stopSeconds} s)`,
  run: stop,
});
