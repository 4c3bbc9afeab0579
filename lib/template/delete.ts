import { z } from "zod";
import type { Context } from "../context.ts";
import { inUse, templateDisks, usersOfLayers } from "../image/users.ts";
import { operation } from "../operation.ts";
import { files } from "../store/files.ts";
import { withLock } from "../store/lock.ts";
import { removeWarmStates } from "./make.ts";
import { discardTemplate } from "./replacement.ts";
import { templateLock, templateNames, unknownTemplate } from "./template.ts";

/** Deletes a template and its warm states; refused while VMs stand on it. */
export async function deleteTemplate(context: Context, name: string): Promise<void> {
  const { home } = context;
  const mustExist = async () => {
    if (!(await templateNames(home)).includes(name)) throw await unknownTemplate(home, name);
  };
  await mustExist(); // before the lock, whose file would carry the name
  const doing = `delete template "${name}"`;
  await withLock(context, { what: templateLock(name), doing }, async () => {
    await mustExist();
    const users = await usersOfLayers(home, templateDisks(home, name));
    if (users.length > 0) throw inUse(doing, users);
    await removeWarmStates(context, name);
    await discardTemplate(context, files.replacedTemplate(home, name));
    await discardTemplate(context, files.template(home, name));
  });
}

export default operation({
  name: "template.delete",
  summary: "Delete a template and its disks",
  description: "Removes a template for good. Refused while a VM stands on it.",
  effect: "destroy",
  input: z.strictObject({ name: z.string().describe("The template's name") }),
  output: z.strictObject({ name: z.string().describe("The name that is free now") }),
  positional: ["name"],
  examples: ["nido template delete web"],
  text: ({ name }) => `Deleted template ${name}`,
  run: async (context, { name }) => {
    await deleteTemplate(context, name);
    return { name };
  },
});
