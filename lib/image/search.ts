import { z } from "zod";
import type { Build, CatalogImage, Version } from "../catalog/catalog.ts";
import { openCatalog } from "../catalog/open.ts";
import { field, operation } from "../operation.ts";
import { architecture } from "./image.ts";
import { imageNames } from "./image.ts";
import { localName } from "./local.ts";

const found = z.strictObject({
  reference: z.string().describe("What to spawn from or to pull"),
  title: z.string().describe("What it is"),
  aliases: z.array(z.string()).describe("Other references for it"),
  architectures: z.array(architecture).describe("The architectures that it is published for"),
  sizeBytes: z.number().optional().describe("Size of the download, where it is known"),
  user: z.string().optional().describe("Its login user"),
  cloudInit: z.boolean().optional().describe("It takes keys, files and user-data at first boot"),
  guestAgent: z.boolean().optional().describe("QEMU's guest agent is inside"),
  builtAt: z.string().optional().describe("When its publisher made it"),
  here: z.boolean().describe("It is here already"),
  licence: z.string().optional().describe("Licence, or terms to be accepted"),
  stale: z.string().optional().describe("Why what is known of it may be out of date"),
  description: z.string().describe("What it is, in a sentence"),
  homepage: z.string().describe("Where its publisher tells of it"),
});

export default operation({
  name: "image.search",
  summary: "Search the catalog of images",
  description: "What can be pulled and spawned by name; all of it when no words are given.",
  effect: "read",
  openWorld: true,
  input: z.strictObject({
    words: z.array(z.string().min(1).max(100)).max(8).default([]).describe(
      "Words that must all occur in the reference, the title or the description",
    ),
    catalog: field("commandLine", z.string().min(1).max(4096)).optional().describe(
      "Address or file of a catalog, for this once",
    ),
  }),
  output: z.strictObject({
    images: z.array(found).describe("What was found, newest versions first"),
    catalog: z.string().describe("The catalog that was searched"),
    updatedAt: z.string().describe("When its content last changed (RFC 3339)"),
    notice: z.string().optional().describe("Why it may be out of date"),
  }),
  positional: ["words"],
  examples: ["nido image search", "nido image search ubuntu lts"],
  run: async (context, { words, catalog: from }) => {
    const { catalog, source, notice } = await openCatalog(context, { from });
    const here = new Set(await imageNames(context.home));
    const wanted = words.map((word) => word.toLowerCase());
    const images = catalog.images.flatMap((image) =>
      image.versions.filter((version) => matches(image, version, wanted))
        .map((version) => shown(image, version, here))
    );
    return { images, catalog: source, updatedAt: catalog.updatedAt, notice };
  },
});

function matches(image: CatalogImage, version: Version, wanted: string[]): boolean {
  const text = [image.title, image.description, ...references(image, version)].join("\n")
    .toLowerCase();
  return wanted.every((word) => text.includes(word));
}

function references({ name, versions }: CatalogImage, version: Version): string[] {
  const latest = versions[0] === version ? ["latest"] : [];
  return [version.version, ...version.aliases, ...latest].map((word) => `${name}:${word}`);
}

function shown(
  image: CatalogImage,
  version: Version,
  here: Set<string>,
): z.input<typeof found> {
  const [reference = "", ...aliases] = references(image, version);
  const builds = Object.entries(version.builds) as [z.output<typeof architecture>, Build][];
  const build = version.builds[Deno.build.arch] ?? builds[0]?.[1];
  return {
    reference,
    title: image.title,
    aliases,
    architectures: builds.map(([architecture]) => architecture).sort(),
    sizeBytes: build?.sizeBytes,
    user: build?.user,
    cloudInit: build?.cloudInit,
    guestAgent: build?.guestAgent,
    builtAt: build?.builtAt,
    here: here.has(localName(reference, Deno.build.arch)),
    licence: image.licence,
    stale: build?.stale && `since ${build.stale.since}: ${build.stale.reason}`,
    description: image.description,
    homepage: image.homepage,
  };
}
