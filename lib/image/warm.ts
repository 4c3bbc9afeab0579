import { z } from "zod";
import { imageBase } from "../moment/base.ts";
import { warmBase, warmInput, warmOutput, warmText } from "../moment/warm.ts";
import { operation } from "../operation.ts";
import { openLocal } from "./local.ts";

export default operation({
  name: "image.warm",
  summary: "Boot an image once, so that new VMs wake instead of booting",
  description: "Boots the image in an incubator and keeps its memory; VMs of the same shape wake " +
    "from it. A spawn does the same at the first need; this does it ahead, for other shapes, or again.",
  effect: "change",
  long: true,
  input: z.strictObject({
    name: z.string().min(1).max(4096).describe("The image's name or reference"),
    ...warmInput,
  }),
  output: warmOutput,
  positional: ["name"],
  examples: ["nido image warm debian:12", "nido image warm debian:12 --cpus 4 --memory 2G"],
  text: (warm) => warmText("image", warm),
  run: async (context, { name, ...request }) =>
    await warmBase(context, imageBase(await openLocal(context, name)), request),
});
