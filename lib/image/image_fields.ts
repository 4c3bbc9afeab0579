import { z } from "zod";
import { publishedFormat } from "../catalog/catalog.ts";
import { architecture, firmware, type Image, type ImageSource } from "./image.ts";
import { diskUseBytes } from "./unused_disks.ts";
import { diskUsers } from "./users.ts";

/** An image as operations give it. */
export const imageFields = z.strictObject({
  name: z.string().describe("The image's name"),
  state: z.literal("ready").describe("It can be spawned from"),
  digest: z.string().describe("sha256 of the source's bytes: what the image is"),
  storedDigest: z.string().describe("sha256 of the stored disk"),
  virtualSizeBytes: z.number().describe("The size that a guest sees, in bytes"),
  diskBytes: z.number().describe("What the stored disk takes on this host, in bytes"),
  sourceFormat: publishedFormat.describe("What the source was"),
  architecture: architecture.describe("The guest's architecture"),
  firmware: firmware.describe("How it boots"),
  user: z.string().describe("The login user that VMs get"),
  description: z.string().optional().describe("A note for people"),
  origin: z.enum(["imported", "pulled", "built"]).describe("How it came here"),
  source: z.string().describe("The file, the address or the recipe that it came from"),
  diskPath: z.string().describe("The stored disk, which is never written to"),
  importedAt: z.string().describe("When it was imported (RFC 3339)"),
  usedBy: z.array(z.string()).describe("The VMs that stand on it"),
});
export type ImageFields = z.output<typeof imageFields>;

/** Measures an image and lists its users. */
export async function showImage(
  home: string,
  image: Image,
  usedBy?: string[],
): Promise<ImageFields> {
  return {
    name: image.name,
    state: "ready",
    digest: image.digest,
    storedDigest: image.disk.storedDigest,
    virtualSizeBytes: image.disk.virtualSizeBytes,
    diskBytes: await diskUseBytes(image.diskPath),
    sourceFormat: image.disk.sourceFormat,
    architecture: image.architecture,
    firmware: image.firmware,
    user: image.user,
    description: image.description,
    ...originOf(image.source),
    diskPath: image.diskPath,
    importedAt: image.importedAt,
    usedBy: usedBy ?? await diskUsers(home, image.digest),
  };
}

function originOf(source: ImageSource): Pick<ImageFields, "origin" | "source"> {
  if ("path" in source) return { origin: "imported", source: source.path };
  if ("url" in source) return { origin: "pulled", source: source.url };
  return { origin: "built", source: source.recipe };
}
