import { z } from "zod";
import { operation } from "../operation.ts";
import { openTemplate } from "./template.ts";
import { showTemplate, templateFields } from "./template_fields.ts";

export default operation({
  name: "template.info",
  summary: "Show all that is known of a template",
  effect: "read",
  input: z.strictObject({ name: z.string().describe("The template's name") }),
  output: templateFields,
  positional: ["name"],
  examples: ["nido template info web"],
  run: async (context, { name }) => await showTemplate(context, await openTemplate(context, name)),
});
