import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { operation } from "../operation.ts";
import { checkDisk } from "../qemu/image_tool.ts";
import { digestOfFile } from "../store/sealed_file.ts";
import { commandFor, findImage, type Image } from "./image.ts";
import { openLocal } from "./local.ts";

const output = z.strictObject({
  name: z.string().describe("The image's name"),
  digest: z.string().describe("What the image is: the published digest of its source"),
  storedDigest: z.string().describe("The digest of the stored disk, which was computed anew"),
});

/** Reads all of an image's stored disk; `integrity` when it is not what was stored. */
export async function verifyImage(
  context: Context,
  image: Image,
): Promise<z.output<typeof output>> {
  const { name, digest, disk, diskPath } = image;
  context.report({ stage: "verify", message: `Reading image ${name}` });
  const found = await digestOfFile(context, diskPath);
  if (found !== disk.storedDigest) {
    throw new NidoError(
      "integrity",
      `Image "${name}" is damaged: its disk's digest is ${found}, and was ${disk.storedDigest}`,
      {
        hint: await remedy(context, image),
        details: { name, diskPath, found, stored: disk.storedDigest },
      },
    );
  }
  await checkDisk(context, diskPath);
  return { name, digest, storedDigest: found };
}

/** A stored disk is never replaced while it looks whole from outside, so it has to go first. */
async function remedy({ home }: Context, image: Image): Promise<string> {
  const named = await findImage(home, image.name).catch(() => undefined);
  return named?.digest === image.digest
    ? `nido image remove ${image.name}, then ${commandFor(image)}`
    : `nido cache remove ${image.digest}`;
}

export default operation({
  name: "image.verify",
  summary: "Read all of an image and check that it is whole",
  description: "Computes the digest of the stored disk anew and lets qemu-img check it.",
  effect: "read",
  long: true,
  input: z.strictObject({
    name: z.string().min(1).max(4096).describe("The image's name or reference"),
  }),
  output,
  positional: ["name"],
  examples: ["nido image verify debian:12"],
  text: ({ name }) => `Image ${name} is whole`,
  run: async (context, { name }) => await verifyImage(context, await openLocal(context, name)),
});
