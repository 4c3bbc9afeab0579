import { z } from "zod";
import type { Context } from "../context.ts";
import { toNidoError } from "../errors.ts";
import { sweepLayers } from "../moment/layers.ts";
import { warmBase, warmOutput, warmText } from "../moment/warm.ts";
import { field, operation } from "../operation.ts";
import { formatBytes } from "../units.ts";
import { portSpecs } from "../vm/port.ts";
import { labels } from "../vm/shape.ts";
import { openVm, vmField, type VmRecord } from "../vm/vm.ts";
import { templateBase } from "./base.ts";
import { withCopiedDisk } from "./copy.ts";
import { storeTemplate, type TemplateParts } from "./store.ts";
import { templateName } from "./template.ts";
import { showTemplate, templateFields } from "./template_fields.ts";

const input = z.strictObject({
  vm: vmField.describe("Name of the VM to make it of; running, paused, stopped or crashed"),
  name: templateName.describe("The template's name"),
  description: field("rare", z.string().max(500)).optional().describe("A note for people"),
  labels: field("rare", labels).optional().describe("Labels"),
  expand: field("rare", z.boolean().default(false)).describe(
    "Keep an uncompressed copy of the disk, which VMs read faster",
  ),
  force: z.boolean().default(false).describe("Replace the template that has the name"),
  keepIdentity: field("rare", z.boolean().default(false)).describe(
    "Leave keys, machine id, cloud-init's data, logs and history in it",
  ),
  warm: z.boolean().default(false).describe("Make it warm at once, for the VM's own shape"),
  timeoutSeconds: field("rare", z.int().min(1).max(86_400).default(600)).describe(
    "Seconds that a copy of the VM has to get ready, and again to shut down",
  ),
});

const output = z.strictObject({
  template: templateFields.describe("The template as it is stored now"),
  warm: warmOutput.optional().describe("What was made warm"),
  problems: z.array(z.string()).describe("What could not be cleaned, or went wrong otherwise"),
});

/** Makes a template of a VM, which is left as it was: all that is done is done to a copy. */
export async function createTemplate(
  context: Context,
  request: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const { vm, name, force, expand, timeoutSeconds } = request;
  await openVm(context, vm); // before the template's lock, whose file would carry the name
  const problems: string[] = [];
  const template = await storeTemplate(context, {
    name,
    vm,
    force,
    expand,
    lend: (use) =>
      withCopiedDisk(context, request, async ({ disk, record, problems: told }) => {
        problems.push(...told);
        return await use({ disk, parts: partsOf(record, request) });
      }),
  });
  await sweepLayers(context); // the VM may have been deleted meanwhile
  const warm = request.warm
    ? await warmBase(context, templateBase(template), { timeoutSeconds }).catch((error) => {
      if (context.signal.aborted) throw error;
      problems.push(`it is not warm: ${toNidoError(error).message}`);
      return undefined;
    })
    : undefined;
  return { template: await showTemplate(context, template), warm, problems };
}

function partsOf(record: VmRecord, request: z.output<typeof input>): TemplateParts {
  const { architecture, firmware, machineType, cpus, memoryMib, user, network } = record;
  return {
    name: request.name,
    description: request.description,
    labels: request.labels ?? {},
    source: { vm: request.vm, image: record.image },
    architecture,
    firmware,
    machineType,
    cpus,
    memoryMib,
    user,
    network,
    ports: portSpecs(record.ports),
    keptIdentity: request.keepIdentity,
  };
}

export default operation({
  name: "template.create",
  summary: "Make a template of a VM",
  description:
    "Copies the VM, running or not, cleans the copy of what tells who the VM was (keys, machine id, " +
    "cloud-init's data, logs, history, temporary files), and packs its disk. The VM is left as it was.",
  effect: "create",
  long: true,
  input,
  output,
  positional: ["vm", "name"],
  examples: [
    "nido template create web web-base",
    "nido template create web web-base --warm --description 'nginx and our certificates'",
  ],
  text: ({ template, warm, problems }) =>
    [
      `Made template ${template.name} of "${template.sourceVm}" (` +
      `${formatBytes(template.diskSizeBytes)}, ${formatBytes(template.compactBytes)} on disk)`,
      ...(warm ? [`  ${warmText("template", warm)}`] : []),
      ...problems.map((problem) => `  note: ${problem}`),
      `  nido spawn --template ${template.name}`,
    ].join("\n"),
  run: createTemplate,
});
