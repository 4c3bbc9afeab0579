import { z } from "zod";
import type { Context } from "../context.ts";
import { operation } from "../operation.ts";
import type { AcceleratorChoice } from "../qemu/accelerator.ts";
import { prepareHome } from "../store/home.ts";
import { discard, removeVm } from "./delete.ts";
import { launch } from "./launch.ts";
import { nest } from "./nest.ts";
import { makePlan, spawnInput, type SpawnRequest } from "./plan.ts";
import { forwardedPort } from "./port.ts";
import { sshAccess, sshCommandLine, sshPort } from "./ssh_access.ts";
import { type ReadyTimings, waitForReady } from "./ready.ts";
import { openSoundVm, type SoundVm, vmState } from "./vm.ts";

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: vmState,
  image: z.string().describe("Image it was made from"),
  digest: z.string().describe("Digest of that image"),
  user: z.string().describe("Login user"),
  ports: z.array(forwardedPort).describe("Forwarded ports"),
  sshCommand: z.string().optional().describe("The exact ssh command; absent with wait none"),
  accelerator: z.string().optional().describe("Accelerator that QEMU uses"),
  acceleratorReason: z.string().optional().describe("Why that one"),
  firstBoot: z.enum(["done", "degraded", "absent"]).optional().describe(
    "How cloud-init ended, once the VM was ready; absent: the image has none",
  ),
  problems: z.array(z.string()).describe("What went wrong without stopping it"),
  timings: z.strictObject({
    diskSeconds: z.number().describe("Disk, keys and seed"),
    qemuSeconds: z.number().optional().describe("Starting QEMU"),
    bootSeconds: z.number().optional().describe("Until the guest's SSH server answered"),
    readySeconds: z.number().optional().describe("Until first boot was finished"),
  }).describe("Seconds spent in each stage"),
});

type SpawnTimings = { diskSeconds: number; qemuSeconds?: number } & ReadyTimings;

/** Makes a VM and, unless told otherwise, waits until it is ready. A failed spawn leaves nothing. */
export async function spawn(
  context: Context,
  request: SpawnRequest,
): Promise<z.input<typeof output>> {
  await prepareHome(context.home);
  const plan = await makePlan(context, request);
  const timings: SpawnTimings = { diskSeconds: 0 };
  const disk = stopwatch();
  const { vm, accelerator } = await nest(context, plan, async (vm) => {
    timings.diskSeconds = disk();
    if (request.wait === "none") return { vm };
    const qemu = stopwatch();
    const accelerator = await startOrUndo(context, vm);
    timings.qemuSeconds = qemu();
    return { vm, accelerator };
  });
  const known = { digest: plan.image.digest, image: plan.image.name, user: plan.record.user };
  const result = (now: SoundVm) => ({
    name: vm.name,
    state: now.state,
    ...known,
    ports: now.record.ports,
    sshCommand: sshPort(now.record) ? sshCommandLine(sshAccess(context, now)) : undefined,
    accelerator: accelerator?.name,
    acceleratorReason: accelerator?.reason,
    problems: [...now.problems, ...plan.notes],
    timings,
  });
  if (request.wait !== "ready") return result(vm);

  try {
    const { firstBoot, timings: waited } = await waitForReady(context, vm, request.timeoutSeconds);
    Object.assign(timings, waited);
    const ready = await openSoundVm(context, vm.name);
    const problems = [...ready.problems, ...plan.notes, ...firstBoot.problems];
    return { ...result(ready), firstBoot: firstBoot.status, problems };
  } catch (error) {
    if (request.rmOnFailure || context.signal.aborted) {
      await removeVm(uninterrupted(context), vm.name, { force: true, id: vm.record.id });
    }
    throw error;
  }
}

async function startOrUndo(context: Context, vm: SoundVm): Promise<AcceleratorChoice> {
  context.report({ stage: "qemu", message: `hatching "${vm.name}"` });
  try {
    return await launch(context, vm);
  } catch (error) {
    await discard(uninterrupted(context), vm);
    throw error;
  }
}

// Cleaning up after an interrupt must not be interrupted by the same interrupt.
function uninterrupted(context: Context): Context {
  return { ...context, signal: new AbortController().signal };
}

function stopwatch(): () => number {
  const since = performance.now();
  return () => Math.round(performance.now() - since) / 1000;
}

export default operation({
  name: "vm.spawn",
  summary: "Hatch a new VM from an image",
  description:
    "Makes a VM with its own disk, keys and ports, starts it and waits until its first boot is finished.",
  effect: "create",
  input: spawnInput,
  output,
  positional: ["name"],
  examples: [
    "nido spawn --image debian-12",
    "nido spawn web --image ./disk.qcow2 --memory 2G --disk 20G --port 80:8080",
    "nido spawn --image debian-12 --user-data setup.yaml --json",
  ],
  text: (result) => {
    const { timings } = result;
    const spent = [
      ["disk", timings.diskSeconds],
      ["qemu", timings.qemuSeconds],
      ["boot", timings.bootSeconds],
      ["ready", timings.readySeconds],
    ].flatMap(([stage, seconds]) => seconds === undefined ? [] : [`${stage} ${seconds} s`]);
    return [
      `"${result.name}" has hatched: ${result.state}${result.firstBoot ? ", ready" : ""} (${
        spent.join(", ")
      })`,
      ...result.ports.map(({ address, host, guest, protocol, label }) =>
        `  ${address}:${host} -> ${guest}/${protocol}${label ? ` (${label})` : ""}`
      ),
      ...(result.accelerator
        ? [`  accelerator ${result.accelerator}: ${result.acceleratorReason}`]
        : []),
      ...result.problems.map((problem) => `  note: ${problem}`),
      `  nido exec ${result.name} -- uname -a`,
      `  nido ssh ${result.name}`,
    ].join("\n");
  },
  run: spawn,
});
