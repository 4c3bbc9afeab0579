import { join } from "node:path";
import type { Context } from "../context.ts";
import { readQcow2 } from "../image/qcow2.ts";
import { checkDisk, flatten } from "../qemu/image_tool.ts";
import { templateFiles } from "../store/files.ts";
import { digestOfFile, sealFile } from "../store/sealed_file.ts";
import { makeTemplate } from "./make.ts";
import type { Template, TemplateRecord } from "./template.ts";

/** What the maker of a template knows of it; the rest is measured. */
export type TemplateParts = Omit<
  TemplateRecord,
  "schemaVersion" | "createdAt" | "digest" | "diskSizeBytes" | "sizes"
>;

/** What a template is made of. */
export interface Lent {
  parts: TemplateParts;
  /** A qcow2 disk, with all layers below it, that nobody writes to meanwhile. */
  disk: string;
}

/** A template to store. */
export interface StoreRequest {
  name: string;
  /** The VM that it is made of. */
  vm: string;
  /** Replace the template that has the name; refused all the same while something stands on it. */
  force: boolean;
  /** Keep an uncompressed copy beside the compact disk. */
  expand: boolean;
  /** Makes and lends what the template is made of, once it is known that the name may be taken. */
  lend<T>(use: (lent: Lent) => Promise<T>): Promise<T>;
}

/** Flattens a disk into a template of its own. */
export async function storeTemplate(context: Context, request: StoreRequest): Promise<Template> {
  const { name, vm, force, expand } = request;
  const making = {
    name,
    force,
    doing: `create template "${name}"`,
    again: `nido template create ${vm} ${name} --force`,
  };
  return await makeTemplate(
    context,
    making,
    async (folder) =>
      await request.lend(async ({ parts, disk }) => {
        const compact = join(folder, templateFiles.compact(name));
        await flatten(context, disk, compact, { compress: true });
        await checkDisk(context, compact);
        await sealFile(compact);
        const expanded = join(folder, templateFiles.expanded(name));
        if (expand) {
          await flatten(context, compact, expanded, { compress: false });
          await sealFile(expanded);
        }
        const sizeOf = async (path: string) => (await Deno.stat(path)).size;
        return {
          ...parts,
          schemaVersion: 1 as const,
          createdAt: context.now().toISOString(),
          digest: await digestOfFile(context, compact),
          diskSizeBytes: (await readQcow2(compact)).virtualSizeBytes,
          sizes: {
            compactBytes: await sizeOf(compact),
            expandedBytes: expand ? await sizeOf(expanded) : undefined,
          },
        };
      }),
  );
}
