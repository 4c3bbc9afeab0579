import { z } from "zod";
import { warmBase, warmInput, warmOutput, warmText } from "../moment/warm.ts";
import { operation } from "../operation.ts";
import { templateBase } from "./base.ts";
import { openTemplate } from "./template.ts";

export default operation({
  name: "template.warm",
  summary: "Boot a template once, so that new VMs wake instead of booting",
  description:
    "Boots the template in an incubator and keeps its memory; VMs of the same shape wake " +
    "from it. A spawn does the same at the first need; this does it ahead, for other shapes, or again.",
  effect: "change",
  long: true,
  input: z.strictObject({ name: z.string().describe("The template's name"), ...warmInput }),
  output: warmOutput,
  positional: ["name"],
  examples: ["nido template warm web", "nido template warm web --cpus 4 --memory 2G"],
  text: (warm) => warmText("template", warm),
  run: async (context, { name, ...request }) =>
    await warmBase(context, templateBase(await openTemplate(context, name)), request),
});
