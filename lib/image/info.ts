import { z } from "zod";
import { warmStateFields, warmStates } from "../moment/warm_state.ts";
import { operation } from "../operation.ts";
import { openImage } from "./image.ts";
import { imageFields, showImage } from "./image_fields.ts";

export default operation({
  name: "image.info",
  summary: "Show all that is known of an image",
  effect: "read",
  input: z.strictObject({ name: z.string().describe("The image's name") }),
  output: imageFields.extend({
    warm: z.array(warmStateFields).describe("The shapes for which it is warm, or was"),
  }),
  positional: ["name"],
  examples: ["nido image info debian"],
  run: async ({ home }, { name }) => {
    const image = await openImage(home, name);
    const { digest } = image;
    const warm = await warmStates(home, { kind: "image", name, digest });
    return { ...await showImage(home, image), warm };
  },
});
