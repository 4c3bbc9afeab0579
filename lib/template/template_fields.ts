import { z } from "zod";
import type { Context } from "../context.ts";
import { architecture, firmware } from "../image/image.ts";
import { diskUseBytes } from "../image/unused_disks.ts";
import { templateDisks, usersOfLayers } from "../image/users.ts";
import type { Template } from "./template.ts";

/** A template as operations give it. */
export const templateFields = z.strictObject({
  name: z.string().describe("The template's name"),
  state: z.literal("ready").describe("It can be spawned from"),
  digest: z.string().describe("sha256 of the compact disk: what the template is"),
  createdAt: z.string().describe("When it was made (RFC 3339)"),
  description: z.string().optional().describe("A note for people"),
  labels: z.record(z.string(), z.string()).describe("Labels"),
  sourceVm: z.string().describe("The VM that it was made of"),
  sourceImage: z.string().describe("The image that the VM was made from"),
  sourceDigest: z.string().describe("Digest of that image"),
  architecture: architecture.describe("The guest's architecture"),
  firmware: firmware.describe("How it boots"),
  machineType: z.string().describe("Pinned machine type"),
  cpus: z.number().describe("Virtual CPUs that VMs get"),
  memoryMib: z.number().describe("Memory that VMs get, in MiB"),
  diskSizeBytes: z.number().describe("The size that a guest sees, in bytes"),
  user: z.string().describe("The login user that VMs get"),
  network: z.enum(["full", "none"]).describe("What VMs reach"),
  ports: z.array(z.string()).describe("Ports that VMs forward, each to a free port of the host"),
  keptIdentity: z.boolean().describe("Keys, machine id and history of the source are still in it"),
  compactBytes: z.number().describe("What the compact disk takes on this host, in bytes"),
  expandedBytes: z.number().optional().describe("What the uncompressed copy takes, where kept"),
  diskPath: z.string().describe("The disk that VMs stand on, which is never written to"),
  usedBy: z.array(z.string()).describe("The VMs that stand on it"),
});
export type TemplateFields = z.output<typeof templateFields>;

/** Measures a template's disks and lists its users. */
export async function showTemplate(
  { home }: Context,
  template: Template,
): Promise<TemplateFields> {
  const { source, sizes: _, folder: __, compactPath, expandedPath, ...known } = template;
  return {
    ...known,
    state: "ready",
    sourceVm: source.vm,
    sourceImage: source.image.name,
    sourceDigest: source.image.digest,
    compactBytes: await diskUseBytes(compactPath),
    expandedBytes: expandedPath === undefined ? undefined : await diskUseBytes(expandedPath),
    usedBy: await usersOfLayers(home, templateDisks(home, template.name)),
  };
}
