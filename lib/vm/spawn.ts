import { join } from "node:path";
import { z } from "zod";
import { type Context, uninterrupted } from "../context.ts";
import { toNidoError } from "../errors.ts";
import type { FirstBoot } from "../guest/readiness.ts";
import type { ReaderLink } from "../guest/reader.ts";
import { needsEarlyBoot } from "../guest/warm_user_data.ts";
import { type Choice, chooseMoment, rung } from "../moment/choose.ts";
import { sweepIncubators } from "../moment/incubator.ts";
import { setAside, touch, wakeFrom } from "../moment/moment.ts";
import { operation } from "../operation.ts";
import { vmFiles } from "../store/files.ts";
import { prepareHome } from "../store/home.ts";
import { writeRecord } from "../store/record.ts";
import { removeVm } from "./delete.ts";
import { endAllLeases } from "./end_leases.ts";
import { launch, type Launched } from "./launch.ts";
import { leaseFor } from "./lease.ts";
import { nest } from "./nest.ts";
import { makePlan, type Plan, spawnInput, type SpawnRequest } from "./plan.ts";
import { forwardedPort } from "./port.ts";
import { type ReadyTimings, waitForReady } from "./ready.ts";
import { renewed } from "./renewal.ts";
import { sshAccess, sshCommandLine, sshPort } from "./ssh_access.ts";
import { openSoundVm, type SoundVm, vmState, type Wake } from "./vm.ts";

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: vmState,
  image: z.string().describe("Image it was made from"),
  digest: z.string().describe("Digest of that image"),
  template: z.string().optional().describe("Template it was made from"),
  user: z.string().describe("Login user"),
  ports: z.array(forwardedPort).describe("Forwarded ports"),
  expiresAt: z.iso.datetime().optional().describe("When its lease is over, if it has one"),
  sshCommand: z.string().optional().describe("The exact ssh command; absent with wait none"),
  accelerator: z.string().optional().describe("Accelerator that QEMU uses"),
  acceleratorReason: z.string().optional().describe("Why that one"),
  firstBoot: z.enum(["done", "degraded", "absent"]).optional().describe(
    "How cloud-init ended, once the VM was ready; absent: the image has none",
  ),
  spawnPath: rung.describe(
    "How it came to life: warm (from its base's memory), stream (from memory that was read in " +
      "full) or cold (booted)",
  ),
  spawnPathReason: z.string().describe("Why that way"),
  problems: z.array(z.string()).describe("What went wrong without stopping it"),
  timings: z.strictObject({
    incubateSeconds: z.number().optional().describe("Making its base warm, which was not yet"),
    diskSeconds: z.number().describe("Disk, keys and seed"),
    qemuSeconds: z.number().optional().describe("Starting QEMU, with memory to wake from"),
    renewSeconds: z.number().optional().describe("Until a woken guest had its own name and time"),
    bootSeconds: z.number().optional().describe("Until the guest's SSH server answered"),
    readySeconds: z.number().optional().describe("Until first boot was finished"),
  }).describe("Seconds spent in each stage"),
});

type SpawnTimings = {
  incubateSeconds?: number;
  diskSeconds: number;
  qemuSeconds?: number;
  renewSeconds?: number;
} & ReadyTimings;

/** Makes a VM and, unless told otherwise, waits until it is ready. A failed spawn leaves nothing. */
export async function spawn(
  context: Context,
  request: SpawnRequest,
): Promise<z.input<typeof output>> {
  await prepareHome(context.home);
  await endAllLeases(context);
  await sweepIncubators(context);
  const plan = await makePlan(context, request);
  plan.record.lease = leaseFor(context, request);
  let choice = await choose(context, plan, request);
  plan.moment = choice.moment;
  const wake = plan.record.wake = choice.moment && wakeFrom(choice.moment);
  const timings: SpawnTimings = { incubateSeconds: choice.incubateSeconds, diskSeconds: 0 };
  const disk = stopwatch();
  const { vm, launched } = await nest(context, plan, async (vm) => {
    timings.diskSeconds = disk();
    if (choice.moment && !plan.moment) choice = replaced();
    if (request.wait === "none") return { vm };
    const qemu = stopwatch();
    context.report({ stage: "qemu", message: `hatching "${vm.name}"` });
    const hatched = await hatch(context, vm, choice);
    choice = hatched.choice;
    timings.qemuSeconds = qemu();
    return { vm, launched: hatched.launched };
  });
  const result = (now: SoundVm) => ({
    name: vm.name,
    state: now.state,
    image: plan.record.image.name,
    digest: plan.record.image.digest,
    template: plan.record.template?.name,
    user: plan.record.user,
    ports: now.record.ports,
    expiresAt: now.record.lease?.expiresAt,
    sshCommand: sshPort(now.record) ? sshCommandLine(sshAccess(context, now)) : undefined,
    accelerator: launched?.accelerator.name,
    acceleratorReason: launched?.accelerator.reason,
    spawnPath: choice.rung,
    spawnPathReason: choice.reason,
    problems: [...now.problems, ...plan.notes],
    timings,
  });
  if (request.wait !== "ready") {
    launched?.renewing?.[Symbol.dispose]();
    return result(vm);
  }
  try {
    const firstBoot = await ready(context, vm, { wake, ...launched }, request, timings);
    const now = await openSoundVm(context, vm.name);
    const problems = [...now.problems, ...plan.notes, ...firstBoot.problems];
    return { ...result(now), firstBoot: firstBoot.status, problems };
  } catch (error) {
    if (request.rmOnFailure || context.signal.aborted) {
      await removeVm(uninterrupted(context), vm.name, { force: true, id: vm.record.id });
    }
    throw error;
  }
}

async function choose(context: Context, plan: Plan, request: SpawnRequest): Promise<Choice> {
  if (request.wait === "none") return { rung: "cold", reason: "it is not to run yet" };
  const early = request.userData && await needsEarlyBoot(request.userData);
  if (early) return { rung: "cold", reason: early };
  return await chooseMoment(context, {
    base: plan.base,
    record: plan.record,
    mayIncubate: request.wait === "ready",
    timeoutSeconds: request.timeoutSeconds,
  });
}

function replaced(): Choice {
  return { rung: "cold", reason: "its warm state was replaced at that moment" };
}

/** Starts a VM whose lock is held; when its memory can't be loaded it boots from the same disk. */
async function hatch(
  context: Context,
  vm: SoundVm,
  choice: Choice,
): Promise<{ launched: Launched; choice: Choice }> {
  try {
    const launched = await launch(context, vm);
    if (choice.moment) await touch(context, choice.moment);
    return { launched, choice };
  } catch (error) {
    const { code, message } = toNidoError(error);
    if (!choice.moment || code !== "integrity") throw error;
    await setAside(choice.moment, message);
    delete vm.record.wake;
    await writeRecord(join(vm.folder, vmFiles.record), vm.record);
    const reason = `its warm state did not wake: ${message}`;
    return { launched: await launch(context, vm), choice: { rung: "cold", reason } };
  }
}

async function ready(
  context: Context,
  vm: SoundVm,
  { wake, renewing }: { wake?: Wake; renewing?: ReaderLink },
  request: SpawnRequest,
  timings: SpawnTimings,
): Promise<FirstBoot> {
  let problems: string[] = [];
  if (wake && renewing) {
    const renew = stopwatch();
    problems = await renewed(context, vm, wake, renewing);
    timings.renewSeconds = renew();
    if (request.userData === undefined) return { status: "done", problems };
  }
  const { firstBoot, timings: waited } = await waitForReady(context, vm, request.timeoutSeconds);
  Object.assign(timings, waited);
  return { ...firstBoot, problems: [...problems, ...firstBoot.problems] };
}

function stopwatch(): () => number {
  const since = performance.now();
  return () => Math.round(performance.now() - since) / 1000;
}

export default operation({
  name: "vm.spawn",
  summary: "Hatch a new VM from an image or a template",
  description:
    "Makes a VM with its own disk, keys and ports, starts it and waits until its first boot is finished.",
  effect: "create",
  input: spawnInput,
  output,
  positional: ["name", "template"],
  examples: [
    "nido spawn --image debian:12",
    "nido spawn web-2 web-template",
    "nido spawn web --image ./disk.qcow2 --memory 2G --disk 20G --port 80:8080",
    "nido spawn --image debian:12 --user-data setup.yaml --json",
  ],
  text: (result) => {
    const { timings } = result;
    const spent = [
      ["incubator", timings.incubateSeconds],
      ["disk", timings.diskSeconds],
      ["qemu", timings.qemuSeconds],
      ["renewal", timings.renewSeconds],
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
      `  ${result.spawnPath}: ${result.spawnPathReason}`,
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
