import { z } from "zod";
import type { Context } from "../context.ts";
import { sweepIncubators } from "../moment/incubator.ts";
import { field, operation } from "../operation.ts";
import { sweepStaging } from "../store/staging.ts";
import { launchOrTell, settled } from "./awaken.ts";
import { endHalfStarted, type Launched } from "./launch.ts";
import { forwardedPort } from "./port.ts";
import {
  mustBe,
  mustBeSound,
  openSoundVm,
  type SoundVm,
  type Vm,
  vmField,
  vmState,
  type Wake,
  withVm,
} from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  wait: z.enum(["running", "ready"]).default("ready").describe(
    "When to return: when QEMU runs, or when the guest can be used",
  ),
  diskOnly: field("rare", z.boolean().default(false)).describe(
    "Boot a suspended VM from its disk; what its memory held is lost",
  ),
  timeoutSeconds: field("rare", z.int().min(1).max(86_400).default(600)).describe(
    "Seconds to wait until ready",
  ),
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
  const started = await withVm(context, name, "start", async (vm) => {
    mustBe(vm, "start", ["stopped", "crashed", "suspended"]);
    return await startHeld(context, vm, { diskOnly });
  });
  return await upAndWell(context, started, wait === "ready" ? timeoutSeconds : undefined);
}

/** A VM that was started, and is not waited for yet. */
export interface Started {
  vm: SoundVm;
  launched: Launched;
  /** What it woke from, if it did. */
  wake?: Wake;
}

/** Starts a VM whose lock the caller holds, and that is at rest. */
export async function startHeld(
  context: Context,
  vm: Vm,
  { diskOnly }: { diskOnly: boolean },
): Promise<Started> {
  const sound = mustBeSound(vm);
  await sweepStaging(context.home);
  // The copy of a template.create that was killed still reads this VM's disk, and QEMU locks it.
  await sweepIncubators(context);
  await endHalfStarted(sound);
  if (diskOnly) delete sound.record.wake;
  const { wake } = sound.record;
  const without = `nido start ${vm.name} --disk-only boots it from its disk`;
  return { launched: await launchOrTell(context, sound, without), vm: sound, wake };
}

/** Waits until a VM that was started can be used, if asked to, and tells what became of it. */
export async function upAndWell(
  context: Context,
  { vm, launched, wake }: Started,
  readySeconds: number | undefined,
): Promise<z.input<typeof output>> {
  const problems = await settled(context, vm, { wake, renewing: launched.renewing, readySeconds });
  const { state, record } = await openSoundVm(context, vm.name);
  return {
    name: vm.name,
    state,
    woke: wake !== undefined,
    ports: record.ports,
    accelerator: launched.accelerator.name,
    acceleratorReason: launched.accelerator.reason,
    problems,
  };
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
