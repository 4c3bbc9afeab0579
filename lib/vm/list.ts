import { z } from "zod";
import type { Context } from "../context.ts";
import { operation } from "../operation.ts";
import { listAfterLeases } from "./end_leases.ts";
import { sshPort } from "./ssh_access.ts";
import { vmState } from "./vm.ts";

const row = z.strictObject({
  name: z.string().describe("Name of the VM"),
  state: vmState,
  image: z.string().optional().describe("Image it was made from"),
  template: z.string().optional().describe("Template it was made from"),
  cpus: z.int().min(1).max(256).optional().describe("Virtual CPUs"),
  memoryMib: z.int().min(1).max(4_194_304).optional().describe("Memory in MiB"),
  sshPort: z.int().min(0).max(65535).optional().describe("Loopback port of its SSH server"),
  createdAt: z.iso.datetime().optional().describe("When it was made"),
  expiresAt: z.iso.datetime().optional().describe("When its lease is over, if it has one"),
  labels: z.record(z.string(), z.string()).describe("Labels"),
  problems: z.array(z.string()).describe("What is wrong with it"),
});

const input = z.strictObject({
  labels: z.record(z.string(), z.string()).optional().describe("Only VMs with all of these labels"),
  state: vmState.optional().describe("Only VMs in this state"),
});

const output = z.strictObject({ vms: z.array(row).describe("VMs by name") });

/** Lists VMs with their state as it is now. */
export async function list(
  context: Context,
  { labels = {}, state }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const vms = (await listAfterLeases(context)).filter((vm) =>
    (state === undefined || vm.state === state) &&
    Object.entries(labels).every(([key, value]) => vm.record?.labels[key] === value)
  );
  return {
    vms: vms.map(({ name, state, record, problems }) => ({
      name,
      state,
      image: record?.image.name,
      template: record?.template?.name,
      cpus: record?.cpus,
      memoryMib: record?.memoryMib,
      sshPort: record && sshPort(record),
      createdAt: record?.createdAt,
      expiresAt: record?.lease?.expiresAt,
      labels: record?.labels ?? {},
      problems,
    })),
  };
}

export default operation({
  name: "vm.list",
  summary: "List VMs",
  description:
    "Every VM with its state, read from the disk and the running processes. Those whose lease is " +
    "over are put to rest first.",
  effect: "read",
  input,
  output,
  examples: ["nido list", "nido list --label team=core --json"],
  run: list,
});
