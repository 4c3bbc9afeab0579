import { z } from "zod";
import type { Context } from "../context.ts";
import { standings } from "../image/standing.ts";
import { diskUseBytes } from "../image/unused_disks.ts";
import { templateDisks, usersAmong } from "../image/users.ts";
import { operation } from "../operation.ts";
import { listTemplates } from "./template.ts";
import { templateFields } from "./template_fields.ts";

const { shape } = templateFields;

const listed = z.strictObject({
  name: shape.name,
  state: z.enum(["ready", "broken"]).describe("A broken template can't be spawned from"),
  diskSizeBytes: shape.diskSizeBytes.optional(),
  compactBytes: shape.compactBytes.optional(),
  expandedBytes: shape.expandedBytes,
  architecture: shape.architecture.optional(),
  cpus: shape.cpus.optional(),
  memoryMib: shape.memoryMib.optional(),
  user: shape.user.optional(),
  usedBy: shape.usedBy,
  createdAt: shape.createdAt.optional(),
  digest: shape.digest.optional(),
  description: shape.description,
  problems: z.array(z.string()).describe("What is wrong with a broken one"),
});

/** One line of the list of templates. */
export type TemplateLine = z.output<typeof listed>;

/** All templates with their sizes and users; a broken one shows its problems. */
export async function templateLines(context: Context): Promise<TemplateLine[]> {
  const { home } = context;
  const [templates, standing] = await Promise.all([listTemplates(context), standings(home)]);
  return await Promise.all(templates.map(async (found): Promise<TemplateLine> => {
    const { name, state, problems, template } = found;
    const usedBy = usersAmong(standing, templateDisks(home, name));
    if (!template) return { name, state, usedBy, problems };
    return {
      name,
      state,
      diskSizeBytes: template.diskSizeBytes,
      compactBytes: await diskUseBytes(template.compactPath),
      expandedBytes: template.expandedPath === undefined
        ? undefined
        : await diskUseBytes(template.expandedPath),
      architecture: template.architecture,
      cpus: template.cpus,
      memoryMib: template.memoryMib,
      user: template.user,
      usedBy,
      createdAt: template.createdAt,
      digest: template.digest,
      description: template.description,
      problems,
    };
  }));
}

export default operation({
  name: "template.list",
  summary: "List the templates",
  description: "All templates, with what their disks take and the VMs that stand on them.",
  effect: "read",
  input: z.strictObject({}),
  output: z.strictObject({ templates: z.array(listed).describe("The templates, by name") }),
  examples: ["nido templates", "nido template list --json"],
  run: async (context) => ({ templates: await templateLines(context) }),
});
