/**
 * The data files that Nido brings with it, found the same way from source, a bundle, a package and a
 * binary: they are parts of the program.
 */

/** The text of the catalog of images. */
export async function shippedCatalog(): Promise<string> {
  return (await import("../registry/images.json", { with: { type: "text" } })).default;
}
