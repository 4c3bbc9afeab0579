import { basename } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { operation } from "../operation.ts";
import { checkDisk, compareDisks } from "../qemu/image_tool.ts";
import { templateFiles } from "../store/files.ts";
import { digestOfFile } from "../store/sealed_file.ts";
import { openTemplate, readTemplate, type Template, unknownTemplate } from "./template.ts";

const output = z.strictObject({
  name: z.string().describe("The template's name"),
  digest: z.string().describe("The digest, which was computed anew"),
  files: z.array(z.string()).describe("The disks that were read and found whole"),
});

/** Reads all of a template's disks; `integrity` names the file that is not what was stored. */
export async function verifyTemplate(
  context: Context,
  name: string,
): Promise<z.output<typeof output>> {
  const template = await openTemplate(context, name);
  const disks = [template.compactPath, template.expandedPath].filter((path) => path !== undefined);
  try {
    await verifyDisks(context, template);
  } catch (error) {
    if (await readTemplate(context.home, name)) throw error;
    throw await unknownTemplate(context.home, name); // it was deleted while it was read
  }
  return { name, digest: template.digest, files: disks.map((disk) => basename(disk)) };
}

async function verifyDisks(context: Context, template: Template): Promise<void> {
  const { name, digest, compactPath, expandedPath, sizes } = template;
  context.report({ stage: "verify", message: `Reading ${basename(compactPath)}` });
  const found = await digestOfFile(context, compactPath);
  if (found !== digest) {
    throw damaged(template, basename(compactPath), `its digest is ${found}, and was ${digest}`);
  }
  await checkDisk(context, compactPath);
  if (!expandedPath && sizes.expandedBytes !== undefined) {
    throw damaged(template, templateFiles.expanded(name), "it is missing");
  }
  if (!expandedPath) return;
  context.report({ stage: "verify", message: `Comparing ${basename(expandedPath)}` });
  await checkDisk(context, expandedPath);
  await compareDisks(context, compactPath, expandedPath);
}

function damaged({ name, folder }: Template, file: string, fact: string): NidoError {
  return new NidoError("integrity", `Template "${name}" is damaged: ${file}: ${fact}`, {
    hint: `nido template delete ${name}`,
    details: { name, folder, file },
  });
}

export default operation({
  name: "template.verify",
  summary: "Read all of a template and check that it is whole",
  description:
    "Computes the digest of the compact disk anew, lets qemu-img check both disks, and " +
    "compares the uncompressed copy, where there is one.",
  effect: "read",
  long: true,
  input: z.strictObject({ name: z.string().describe("The template's name") }),
  output,
  positional: ["name"],
  examples: ["nido template verify web"],
  text: ({ name, files }) => `Template ${name} is whole: ${files.join(", ")}`,
  run: (context, { name }) => verifyTemplate(context, name),
});
