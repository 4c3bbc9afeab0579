import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { sweepIncubators } from "../moment/incubator.ts";
import { operation } from "../operation.ts";
import { sweepStaging } from "../store/staging.ts";
import { endHalfStarted, launch, type Launched } from "./launch.ts";
import { forwardedPort } from "./port.ts";
import { waitForReady } from "./ready.ts";
import { renewed } from "./renewal.ts";
import { mustBe, mustBeSound, openSoundVm, type SoundVm, vmField, vmState, withVm } from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  wait: z.enum(["running", "ready"]).default("ready").describe(
    "When to return: when QEMU runs, or when the guest can be used",
  ),
  diskOnly: z.boolean().default(false).describe(
    "Boot a suspended VM from its disk; what its memory held is lost",
  ),
  timeoutSeconds: z.int().min(1).max(86_400).default(600).describe("Seconds to wait until ready"),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: vmState,
  woke: z.boolean().describe("It went on from its memory instead of booting"),
  ports: z.array(forwardedPort).describe("Forwarded ports; free ones may have changed"),
  accelerator: z.string().describe("Accelerator that QEMU uses"),
  acceleratorReason: z.string().describe("Why that one"),
  problems: z.array(z.string()).describe("What went wrong without stopping it"),
});

/** Starts a stopped or crashed VM, or wakes a suspended one, and waits until it can be used. */
export async function start(
  context: Context,
  { name, wait, diskOnly, timeoutSeconds }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const { launched, vm, wake } = await withVm(context, name, "start", async (vm) => {
    mustBe(vm, "start", ["stopped", "crashed", "suspended"]);
    const sound = mustBeSound(vm);
    await sweepStaging(context.home);
    // The copy of a template.create that was killed still reads this VM's disk, and QEMU locks it.
    await sweepIncubators(context);
    await endHalfStarted(sound);
    if (diskOnly) delete sound.record.wake;
    const { wake } = sound.record;
    return { launched: await launchOrTell(context, sound), vm: sound, wake };
  });
  let problems: string[] = [];
  if (wake && launched.renewing) problems = await renewed(context, vm, wake, launched.renewing);
  else if (wait === "ready") await waitForReady(context, vm, timeoutSeconds);
  const { state, record } = await openSoundVm(context, name);
  return {
    name,
    state,
    woke: wake !== undefined,
    ports: record.ports,
    accelerator: launched.accelerator.name,
    acceleratorReason: launched.accelerator.reason,
    problems,
  };
}

async function launchOrTell(context: Context, vm: SoundVm): Promise<Launched> {
  try {
    return await launch(context, vm);
  } catch (error) {
    const { code, message, details } = toNidoError(error);
    if (code !== "integrity" || !vm.record.wake) throw error;
    throw new NidoError(code, `Cannot wake VM "${vm.name}" from its memory: ${message}`, {
      hint: `nido start ${vm.name} --disk-only boots it from its disk`,
      details,
      cause: error,
    });
  }
}

export default operation({
  name: "vm.start",
  summary: "Start a stopped VM, or wake a suspended one",
  description:
    "Boots a VM that is stopped or crashed, or wakes one that is suspended, and waits until it can " +
    "be used.",
  effect: "change",
  input,
  output,
  positional: ["name"],
  examples: ["nido start web"],
  text: ({ name, state }) => `"${name}" is ${state}`,
  run: start,
});
