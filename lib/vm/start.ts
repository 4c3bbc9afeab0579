import { z } from "zod";
import type { Context } from "../context.ts";
import { operation } from "../operation.ts";
import { sweepStaging } from "../store/staging.ts";
import { endHalfStarted, launch } from "./launch.ts";
import { forwardedPort } from "./port.ts";
import { waitForReady } from "./ready.ts";
import { mustBe, mustBeSound, openSoundVm, vmField, vmState, withVm } from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  wait: z.enum(["running", "ready"]).default("ready").describe(
    "When to return: when QEMU runs, or when the guest can be used",
  ),
  timeoutSeconds: z.int().min(1).max(86_400).default(600).describe("Seconds to wait until ready"),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: vmState,
  ports: z.array(forwardedPort).describe("Forwarded ports; free ones may have changed"),
  accelerator: z.string().describe("Accelerator that QEMU uses"),
  acceleratorReason: z.string().describe("Why that one"),
});

/** Starts a stopped or crashed VM and waits until it can be used. */
export async function start(
  context: Context,
  { name, wait, timeoutSeconds }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const accelerator = await withVm(context, name, "start", async (vm) => {
    mustBe(vm, "start", ["stopped", "crashed"]);
    const sound = mustBeSound(vm);
    await sweepStaging(context.home);
    await endHalfStarted(sound);
    return await launch(context, sound);
  });
  if (wait === "ready") {
    await waitForReady(context, await openSoundVm(context, name), timeoutSeconds);
  }
  const { state, record } = await openSoundVm(context, name);
  return {
    name,
    state,
    ports: record.ports,
    accelerator: accelerator.name,
    acceleratorReason: accelerator.reason,
  };
}

export default operation({
  name: "vm.start",
  summary: "Start a stopped VM",
  description: "Starts a VM that is stopped or crashed and waits until it can be used.",
  effect: "change",
  input,
  output,
  positional: ["name"],
  examples: ["nido start web"],
  text: ({ name, state }) => `"${name}" is ${state}`,
  run: start,
});
