import { z } from "zod";
import { catalogAtHand, openCatalog } from "../catalog/open.ts";
import { field, operation } from "../operation.ts";

export default operation({
  name: "image.refresh",
  summary: "Fetch the newest catalog of images",
  description:
    "Asks the catalog's source for a newer one now, not when the copy here is a day old.",
  effect: "change",
  idempotent: true,
  openWorld: true,
  input: z.strictObject({
    catalog: field("commandLine", z.string().min(1).max(4096)).optional().describe(
      "Address or file of a catalog other than the one in the settings",
    ),
  }),
  output: z.strictObject({
    catalog: z.string().describe("Where it came from"),
    updatedAt: z.string().describe("When its content last changed (RFC 3339)"),
    images: z.int().describe("How many images it knows"),
    changed: z.boolean().describe("It is another one than before"),
  }),
  examples: ["nido image refresh"],
  text: ({ catalog, updatedAt, images, changed }) =>
    `${changed ? "New" : "Unchanged"}: ${catalog} of ${updatedAt.slice(0, 10)}, ` +
    `${images} image${images === 1 ? "" : "s"}`,
  run: async (context, { catalog: from }) => {
    const before = await catalogAtHand(context, from).catch(() => undefined); // it is replaced
    const { catalog, source } = await openCatalog(context, { from, refresh: true });
    return {
      catalog: source,
      updatedAt: catalog.updatedAt,
      images: catalog.images.length,
      changed: before?.catalog.updatedAt !== catalog.updatedAt,
    };
  },
});
