import { z } from "zod";
import { warmStateFields, warmStates } from "../moment/warm_state.ts";
import { operation } from "../operation.ts";
import { openTemplate } from "./template.ts";
import { showTemplate, templateFields } from "./template_fields.ts";

export default operation({
  name: "template.info",
  summary: "Show all that is known of a template",
  effect: "read",
  input: z.strictObject({ name: z.string().describe("The template's name") }),
  output: templateFields.extend({
    warm: z.array(warmStateFields).describe("The shapes for which it is warm, or was"),
  }),
  positional: ["name"],
  examples: ["nido template info web"],
  run: async (context, { name }) => {
    const template = await openTemplate(context, name);
    const { digest } = template;
    const warm = await warmStates(context.home, { kind: "template", name, digest });
    return { ...await showTemplate(context, template), warm };
  },
});
