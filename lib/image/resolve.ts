import type { Context } from "../context.ts";
import { type Image, openImage } from "./image.ts";

/** The image that a reference means: a name, or a path of a file that is imported on first use. */
export async function resolveImage(context: Context, reference: string): Promise<Image> {
  return await openImage(context.home, reference);
}
