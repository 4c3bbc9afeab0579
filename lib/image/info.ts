import { z } from "zod";
import { operation } from "../operation.ts";
import { openImage } from "./image.ts";
import { imageFields, showImage } from "./image_fields.ts";

export default operation({
  name: "image.info",
  summary: "Show all that is known of an image",
  effect: "read",
  input: z.strictObject({ name: z.string().describe("The image's name") }),
  output: imageFields,
  positional: ["name"],
  examples: ["nido image info debian"],
  run: async ({ home }, { name }) => await showImage(home, await openImage(home, name)),
});
