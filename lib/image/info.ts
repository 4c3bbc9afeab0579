import { z } from "zod";
import { warmStateFields, warmStates } from "../moment/warm_state.ts";
import { operation } from "../operation.ts";
import { imageFields, showImage } from "./image_fields.ts";
import { openLocal } from "./local.ts";

export default operation({
  name: "image.info",
  summary: "Show all that is known of an image",
  effect: "read",
  input: z.strictObject({
    name: z.string().min(1).max(4096).describe("The image's name or reference"),
  }),
  output: imageFields.extend({
    warm: z.array(warmStateFields).describe("The shapes for which it is warm, or was"),
  }),
  positional: ["name"],
  examples: ["nido image info debian"],
  run: async (context, { name: reference }) => {
    const image = await openLocal(context, reference);
    const { name, digest } = image;
    const { home } = context;
    const warm = await warmStates(home, { kind: "image", name, digest });
    return { ...await showImage(home, image), warm };
  },
});
