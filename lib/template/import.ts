import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { acceptQcow2, isPlain } from "../image/accept_qcow2.ts";
import { checkTables, confirmAlone } from "../image/convert.ts";
import { Qcow2Fault, readQcow2 } from "../image/qcow2.ts";
import { type Refuse, refuser } from "../image/refuse.ts";
import { lookAtFile, readSourceFile } from "../image/source_file.ts";
import { needSpace } from "../image/space_guard.ts";
import { field, operation } from "../operation.ts";
import { templateFiles } from "../store/files.ts";
import { sealFile } from "../store/sealed_file.ts";
import { formatBytes } from "../units.ts";
import { ExportedTemplate } from "./exported.ts";
import { makeTemplate } from "./make.ts";
import { type Template, templateName } from "./template.ts";
import { showTemplate, templateFields } from "./template_fields.ts";

const input = z.strictObject({
  file: field("hostPath", z.string().min(1)).describe("A file that `template export` wrote"),
  name: templateName.optional().describe("The template's name; default the one it had"),
  force: z.boolean().default(false).describe("Replace a template that has the name"),
});

/** Imports an exported template; it is checked in full before anything of it can be seen. */
export async function importTemplate(
  context: Context,
  { file, name, force }: z.output<typeof input>,
): Promise<Template> {
  const refuse = refuser(`import ${file}`);
  const source = await lookAtFile(file, refuse);
  await using exported = await ExportedTemplate.open(readSourceFile(source, refuse), refuse);
  const { record, disk } = exported;
  const making = {
    name: name ?? record.name,
    doing: `import ${file}`,
    force,
    again: `nido template import ${file}${name ? ` --name ${name}` : ""} --force`,
  };
  return await makeTemplate(context, making, async (folder) => {
    await needSpace(context.home, disk.sizeBytes, refuse);
    const path = join(folder, templateFiles.compact(making.name));
    await exported.writeDisk(context, path);
    await acceptDisk(context, path, record.diskSizeBytes, refuse);
    await sealFile(path);
    return { ...record, name: making.name, sizes: { compactBytes: disk.sizeBytes } };
  });
}

async function acceptDisk(
  context: Context,
  path: string,
  sizeBytes: number,
  refuse: Refuse,
): Promise<void> {
  const header = await readQcow2(path).catch((fault) => {
    throw fault instanceof Qcow2Fault ? refuse("integrity", fault.message) : fault;
  });
  acceptQcow2(header, refuse);
  if (!isPlain(header)) throw refuse("invalid_input", "its disk is not a plain qcow2");
  if (header.virtualSizeBytes !== sizeBytes) {
    const told = `${formatBytes(header.virtualSizeBytes)}, and its record says`;
    throw refuse("integrity", `its disk is ${told} ${formatBytes(sizeBytes)}`);
  }
  context.report({ stage: "check", message: "Checking the disk" });
  const disk = { path, format: "qcow2", header } as const;
  await checkTables(context, disk, refuse);
  await confirmAlone(context, disk, refuse);
}

export default operation({
  name: "template.import",
  summary: "Import a template from a file",
  description:
    "Reads a file that `template export` wrote. Its digests, names and disk are checked " +
    "before anything is stored; a file that is cut short, altered or something else is refused.",
  effect: "create",
  long: true,
  input,
  output: z.strictObject({ template: templateFields.describe("The template as it is stored now") }),
  positional: ["file"],
  examples: [
    "nido template import web.nido.tar",
    "nido template import web.nido.tar --name web-2",
  ],
  text: ({ template }) =>
    `Imported template ${template.name} (${formatBytes(template.diskSizeBytes)}, ` +
    `${formatBytes(template.compactBytes)} on disk)`,
  run: async (context, request) => {
    const template = await importTemplate(context, request);
    return { template: await showTemplate(context, template) };
  },
});
