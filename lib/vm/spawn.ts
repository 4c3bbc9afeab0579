import { join } from "node:path";
import { z } from "zod";
import { readConfig } from "../config/config.ts";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { generateKeyPair, homeKey, readPublicKeys } from "../guest/keys.ts";
import { checkUserData, overruledKeys } from "../guest/user_data.ts";
import { loginUser, ownCloudConfig, type Seed, seedImage } from "../guest/seed.ts";
import { hostMemory } from "../host/platform.ts";
import { holdDisk } from "../image/hold.ts";
import type { Image } from "../image/image.ts";
import { resolveImage } from "../image/resolve.ts";
import { field, operation } from "../operation.ts";
import { requireFirmware } from "../qemu/firmware.ts";
import { findQemu } from "../qemu/installation.ts";
import { emptyOverlay } from "../qemu/overlay.ts";
import { files, vmFiles } from "../store/files.ts";
import { prepareHome } from "../store/home.ts";
import { retireLock, takeLock } from "../store/lock.ts";
import { writeNewFile } from "../store/record.ts";
import { stage } from "../store/staging.ts";
import { discard, removeVm } from "./delete.ts";
import { launch, type Launched } from "./launch.ts";
import { friendlyName, vmName } from "./name.ts";
import { checkPortsAreFree, parsePorts, portView, viewPorts } from "./port.ts";
import { knownHostsLine, sshAccess } from "./reach.ts";
import { type ReadyTimings, waitForReady } from "./ready.ts";
import { cpus, diskGib, labels, memoryMib, network } from "./shape.ts";
import { findVm, openSoundVm, type SoundVm, vmLock, type VmRecord, vmState } from "./vm.ts";

const input = z.strictObject({
  name: vmName.optional().describe("Name of the VM; a friendly free one is made when left out"),
  image: z.string().min(1).optional().describe(
    "Image to spawn from: a name from `nido images`, or the path of a disk; default from `nido config`",
  ),
  cpus: cpus.optional().describe("Virtual CPUs; default 2"),
  memoryMib: memoryMib.optional().describe("Memory in MiB; default 1024"),
  diskGib: diskGib.optional().describe("Disk size in GiB; default the image's own, and never less"),
  user: loginUser.optional().describe("Login user, with sudo; default the image's"),
  userData: field("content", z.string()).optional().describe(
    "cloud-init user-data of your own: cloud-config, a script, or a MIME multipart",
  ),
  sshKeys: z.array(field("content", z.string())).max(32).optional().describe(
    "More public keys that may log in",
  ),
  ports: z.array(z.string()).max(64).optional().describe(
    "Ports forwarded from this host's loopback: 8080:80, 80 (a free host port), 5353:53/udp",
  ),
  labels: labels.optional().describe("Labels to find it by"),
  network: network.optional().describe(
    "full: the guest reaches the outside; none: only forwarded ports answer; default full",
  ),
  accel: z.enum(["kvm", "hvf", "whpx", "tcg"]).optional().describe(
    "Accelerator to insist on; default the best that works",
  ),
  wait: z.enum(["none", "running", "ready"]).default("ready").describe(
    "When to return: at once after the disk is made, when QEMU runs, or when first boot is finished",
  ),
  timeoutSeconds: z.int().min(1).max(86_400).default(600).describe("Seconds to wait until ready"),
  rmOnFailure: z.boolean().default(false).describe(
    "Remove the VM when it does not get ready in time",
  ),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: vmState,
  image: z.string().describe("Image it was made from"),
  digest: z.string().describe("Digest of that image"),
  user: z.string().describe("Login user"),
  ports: z.array(portView).describe("Forwarded ports"),
  sshCommand: z.string().describe("The exact ssh command"),
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

/** What to spawn. */
export type SpawnRequest = z.output<typeof input>;

/** Makes a VM and, unless told otherwise, waits until it is ready. A failed spawn leaves nothing. */
export async function spawn(
  context: Context,
  request: SpawnRequest,
): Promise<z.input<typeof output>> {
  await prepareHome(context.home);
  const disk = stopwatch();
  const plan = await makePlan(context, request);
  const { vm, launched, timings } = await hatch(context, plan, request.wait !== "none", disk);
  const known = { digest: plan.image.digest, image: plan.image.name, user: plan.record.user };
  const result = (now: SoundVm) => ({
    name: vm.name,
    state: now.state,
    ...known,
    ports: viewPorts(now.record.ports),
    sshCommand: `nido ssh ${vm.name}`,
    accelerator: launched?.accelerator.name,
    acceleratorReason: launched?.accelerator.reason,
    problems: [...now.problems, ...plan.notes],
    timings,
  });
  if (request.wait === "none") return result(await openSoundVm(context, vm.name));

  const started = await openSoundVm(context, vm.name);
  const access = sshAccess(context, started).command.join(" ");
  if (request.wait === "running") return { ...result(started), sshCommand: access };

  try {
    const { firstBoot, timings: waited } = await waitForReady(
      context,
      started,
      request.timeoutSeconds,
    );
    Object.assign(timings, waited);
    const ready = await openSoundVm(context, vm.name);
    const problems = [...ready.problems, ...plan.notes, ...firstBoot.problems];
    return {
      ...result(ready),
      sshCommand: access,
      firstBoot: firstBoot.status,
      problems,
    };
  } catch (error) {
    if (request.rmOnFailure || context.signal.aborted) {
      await removeVm(uninterrupted(context), vm.name, true, vm.record.id);
    }
    throw error;
  }
}

interface Plan {
  name?: string;
  image: Image;
  record: VmRecord;
  diskBytes: number;
  userData?: string;
  callersKeys: string[];
  /** What the caller is told besides. */
  notes: string[];
}

/** Checks everything that can be checked before anything is made. */
async function makePlan(context: Context, request: SpawnRequest): Promise<Plan> {
  const config = await readConfig(context);
  const reference = request.image ?? config.image;
  if (!reference) {
    throw new NidoError("invalid_input", "Cannot spawn: no image is named", {
      hint: "nido spawn --image NAME, or set one for all: nido config set image NAME",
    });
  }
  if (request.name && await findVm(context, request.name)) throw nameTaken(request.name);
  const ports = parsePorts(request.ports ?? []);
  if (!ports.some(({ guest, protocol }) => guest === 22 && protocol === "tcp")) {
    ports.unshift({ host: 0, guest: 22, protocol: "tcp", isFixed: false });
  }
  checkPortsAreFree(ports, "spawn");
  if (request.userData !== undefined) await checkUserData(request.userData);
  const callersKeys = (request.sshKeys ?? []).flatMap((text) => readPublicKeys(text));
  const memory = request.memoryMib ?? config.memoryMib ?? 1024;
  checkMemory(memory);

  const image = await resolveImage(context, reference);
  const qemu = await findQemu(context, image.architecture);
  const board = image.architecture === "x86_64" ? "pc-q35" : "virt";
  return {
    name: request.name,
    image,
    diskBytes: diskSize(image, request.diskGib ?? config.diskGib),
    userData: request.userData,
    callersKeys,
    notes: [],
    record: {
      schemaVersion: 1,
      id: crypto.randomUUID(),
      createdAt: context.now().toISOString(),
      image: { name: image.name, digest: image.digest },
      architecture: image.architecture,
      firmware: image.architecture === "aarch64" ? "uefi" : image.firmware,
      machineType: `${board}-${qemu.major}.${qemu.minor}`,
      accelerator: request.accel ?? config.accelerator,
      cpus: request.cpus ?? config.cpus ?? 2,
      memoryMib: memory,
      user: request.user ?? config.user ?? image.user,
      network: request.network ?? config.network ?? "full",
      ports,
      labels: request.labels ?? {},
      hostKey: "",
    },
  };
}

interface Hatched {
  vm: SoundVm;
  launched?: Launched;
  timings: { diskSeconds: number; qemuSeconds?: number } & ReadyTimings;
}

/**
 * Takes a free name, builds the VM's folder in staging, renames it into place and starts QEMU, all
 * under the name's lock: nobody can start, delete or replace the VM in between.
 */
async function hatch(
  context: Context,
  plan: Plan,
  isStarted: boolean,
  disk: () => number,
): Promise<Hatched> {
  for (let attempt = 0;; attempt++) {
    const name = plan.name ?? friendlyName(attempt);
    context.report({ stage: "disk", message: `making the nest of "${name}"` });
    using lock = await takeLock(context, vmLock(name, "spawn"));
    if (!await findVm(context, name)) {
      try {
        const vm = await build(context, name, plan);
        const timings = { diskSeconds: disk() };
        if (!isStarted) return { vm, timings };
        const qemu = stopwatch();
        const launched = await launchOrUndo(context, vm);
        return { vm, launched, timings: { ...timings, qemuSeconds: qemu() } };
      } catch (error) {
        await retireLock(lock);
        throw error;
      }
    }
    if (plan.name) throw nameTaken(plan.name);
  }
}

async function build(context: Context, name: string, plan: Plan): Promise<SoundVm> {
  using _disk = await holdDisk(context, plan.image, `spawn VM "${name}"`);
  const destination = files.vm(context.home, name);
  await stage(context, destination, (folder) => fill(context, folder, name, plan));
  return await openSoundVm(context, name);
}

async function fill(context: Context, folder: string, name: string, plan: Plan): Promise<void> {
  const { image, record } = plan;
  const [own, hostKey] = await Promise.all([homeKey(context), generateKeyPair(name)]);
  record.hostKey = hostKey.public.split(" ").slice(0, 2).join(" ");
  const seed: Seed = {
    instanceId: record.id,
    hostname: name,
    user: record.user,
    authorizedKeys: [own.public, ...plan.callersKeys],
    hostKey,
    userData: plan.userData,
  };
  const contents: Record<string, string | Uint8Array> = {
    [vmFiles.disk]: emptyOverlay(image.diskPath, plan.diskBytes),
    [vmFiles.seed]: await seedImage(seed),
    [vmFiles.knownHosts]: knownHostsLine(record.hostKey),
    [vmFiles.record]: JSON.stringify(record, null, 2) + "\n",
  };
  if (record.firmware === "uefi") {
    const { vars } = await requireFirmware(context, record.architecture);
    contents[vmFiles.firmwareVars] = await Deno.readFile(vars);
  }
  await Promise.all(
    Object.entries(contents).map(([file, content]) => writeNewFile(join(folder, file), content)),
  );
  if (plan.userData === undefined) return;
  const overruled = await overruledKeys(ownCloudConfig(seed), plan.userData);
  plan.notes.push(...overruled.map((key) => `user-data's ${key} was replaced by Nido's own`));
}

async function launchOrUndo(context: Context, vm: SoundVm): Promise<Launched> {
  context.report({ stage: "qemu", message: `hatching "${vm.name}"` });
  try {
    return await launch(context, vm);
  } catch (error) {
    await discard(uninterrupted(context), vm);
    throw error;
  }
}

function diskSize(image: Image, wantedGib: number | undefined): number {
  const own = image.disk.virtualSizeBytes;
  if (wantedGib === undefined) return own;
  const wanted = wantedGib * 2 ** 30;
  if (wanted >= own) return wanted;
  const gib = Math.ceil(own / 2 ** 30 * 100) / 100;
  throw new NidoError(
    "invalid_input",
    `Cannot spawn with a disk of ${wantedGib} GiB: image "${image.name}" is ${gib} GiB, and a disk never shrinks`,
    { hint: `nido spawn --disk ${Math.ceil(gib)}G, or leave --disk out` },
  );
}

function checkMemory(wantedMib: number): void {
  const hostMib = hostMemory().totalMib;
  if (wantedMib <= hostMib) return;
  throw new NidoError(
    "exhausted",
    `Cannot spawn with ${wantedMib} MiB of memory: this host has ${hostMib} MiB`,
    { hint: "nido spawn --memory 1G" },
  );
}

function nameTaken(name: string): NidoError {
  return new NidoError("already_exists", `Cannot spawn VM "${name}": the name is taken`, {
    hint: `nido info ${name}, or leave the name out`,
  });
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
  input,
  output,
  positional: ["name"],
  examples: [
    "nido spawn --image debian-12",
    "nido spawn web --image ./disk.qcow2 --memory 2G --disk 20G --port 8080:80",
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
      ...result.ports.map(({ host, guest, protocol }) =>
        `  127.0.0.1:${host} -> ${guest}/${protocol}`
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
