import { z } from "zod";
import type { Context } from "../context.ts";
import { operation } from "../operation.ts";
import { type ListedImage, listImages } from "./image.ts";
import { imageFields } from "./image_fields.ts";
import { diskUseBytes } from "./unused_disks.ts";
import { usersOfDisks } from "./users.ts";

const { name, digest, virtualSizeBytes, diskBytes, architecture, firmware, user, usedBy } =
  imageFields.shape;

const listed = z.strictObject({
  name,
  state: z.enum(["ready", "broken"]).describe("A broken image can't be spawned from"),
  virtualSizeBytes: virtualSizeBytes.optional(),
  diskBytes: diskBytes.optional(),
  architecture: architecture.optional(),
  firmware: firmware.optional(),
  user: user.optional(),
  usedBy,
  digest: digest.optional(),
  problems: z.array(z.string()).describe("What is wrong with a broken one"),
});

/** One line of the list of images. */
export type ImageLine = z.output<typeof listed>;

/** All images with their sizes and users; a broken one shows its problems. */
export async function imageLines(context: Context): Promise<ImageLine[]> {
  const images = await listImages(context.home);
  const digests = images.flatMap(({ image }) => image ? [image.digest] : []);
  const users = await usersOfDisks(context.home, digests);
  return await Promise.all(images.map((found) => imageLine(found, users)));
}

async function imageLine(found: ListedImage, users: Map<string, string[]>): Promise<ImageLine> {
  const { name, problems } = found;
  if (found.state === "broken") return { name, state: "broken", usedBy: [], problems };
  const { image } = found;
  return {
    name,
    state: "ready",
    virtualSizeBytes: image.disk.virtualSizeBytes,
    diskBytes: await diskUseBytes(image.diskPath),
    architecture: image.architecture,
    firmware: image.firmware,
    user: image.user,
    usedBy: users.get(image.digest) ?? [],
    digest: image.digest,
    problems,
  };
}

export default operation({
  name: "image.list",
  summary: "List the images",
  description: "All images that VMs can be spawned from, with sizes and the VMs that use them.",
  effect: "read",
  input: z.strictObject({}),
  output: z.strictObject({ images: z.array(listed).describe("The images, by name") }),
  examples: ["nido images", "nido image list --json"],
  run: async (context) => ({ images: await imageLines(context) }),
});
