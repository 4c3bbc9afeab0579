import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { readQcow2 } from "../image/qcow2.ts";
import { operation } from "../operation.ts";
import { forwardedPort } from "./port.ts";
import { onExpiry } from "./shape.ts";
import { sshAccess, sshCommandLine } from "./ssh_access.ts";
import { mustBeSound, openVm, vmField, vmState } from "./vm.ts";

const size = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: vmState,
  problems: z.array(z.string()).describe("What is wrong with it"),
  folder: z.string().describe("Where it lives on this host"),
  id: z.string().optional().describe("Its UUID"),
  createdAt: z.iso.datetime().optional().describe("When it was made"),
  image: z.string().optional().describe("Image it was made from"),
  digest: z.string().optional().describe("Digest of that image"),
  template: z.string().optional().describe("Template it was made from"),
  forkedFrom: z.string().optional().describe("The VM whose copy it is"),
  architecture: z.string().optional().describe("Guest architecture"),
  machineType: z.string().optional().describe("Pinned machine type"),
  firmware: z.string().optional().describe("bios or uefi"),
  accelerator: z.string().optional().describe("Accelerator it insists on"),
  cpus: z.int().min(1).max(256).optional().describe("Virtual CPUs"),
  memoryMib: z.int().min(1).max(4_194_304).optional().describe("Memory in MiB"),
  diskSizeBytes: size.optional().describe("Size of the disk as the guest sees it"),
  diskUsedBytes: size.optional().describe("What its disk takes on this host, without the image"),
  user: z.string().optional().describe("Login user"),
  network: z.enum(["full", "none"]).optional().describe("What the guest reaches"),
  ports: z.array(forwardedPort).describe("Forwarded ports"),
  labels: z.record(z.string(), z.string()).describe("Labels"),
  expiresAt: z.iso.datetime().optional().describe("When its lease is over, if it has one"),
  onExpiry: onExpiry.optional().describe("What the next command then does with it"),
  sshCommand: z.string().optional().describe("The exact ssh command"),
  pid: z.int().min(1).max(2 ** 31).optional().describe("Process id of its QEMU"),
});

/** Tells everything about one VM. */
export async function info(context: Context, name: string): Promise<z.input<typeof output>> {
  const vm = await openVm(context, name);
  const { state, problems, folder, pid } = vm;
  const plain = { name, state, problems, folder, pid };
  if (!vm.record) return { ...plain, ports: [], labels: {} };
  const { record } = vm;
  const disk = join(folder, record.disk);
  const [header, stat] = await Promise.all([
    readQcow2(disk).catch(() => undefined),
    Deno.stat(disk).catch(() => undefined),
  ]);
  if (!header) problems.push("its disk cannot be read");
  return {
    ...plain,
    id: record.id,
    createdAt: record.createdAt,
    image: record.image.name,
    digest: record.image.digest,
    template: record.template?.name,
    forkedFrom: record.forkedFrom,
    architecture: record.architecture,
    machineType: record.machineType,
    firmware: record.firmware,
    accelerator: record.accelerator,
    cpus: record.cpus,
    memoryMib: record.memoryMib,
    diskSizeBytes: header?.virtualSizeBytes,
    diskUsedBytes: stat && (stat.blocks ?? Math.ceil(stat.size / 512)) * 512,
    user: record.user,
    network: record.network,
    ports: record.ports,
    labels: record.labels,
    expiresAt: record.lease?.expiresAt,
    onExpiry: record.lease?.onExpiry,
    sshCommand: sshCommandLine(sshAccess(context, mustBeSound(vm))),
  };
}

export default operation({
  name: "vm.info",
  summary: "Tell everything about one VM",
  description: "State, shape, image digest, ports, disk use and the ssh command of one VM.",
  effect: "read",
  input: z.strictObject({ name: vmField }),
  output,
  positional: ["name"],
  examples: ["nido info web"],
  run: (context, { name }) => info(context, name),
});
