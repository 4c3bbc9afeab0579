import { z } from "zod";
import { build, catalogImage, publishedFormat, version } from "../../lib/catalog/catalog.ts";
import { architectures } from "./discovery.ts";
import { strategies } from "./strategies.ts";

const { shape: image } = catalogImage;

const firmware = z.strictObject({
  x86_64: build.shape.firmware.default("bios"),
  aarch64: build.shape.firmware.default("uefi"),
});

/** What one version has that the others of its source have not. */
const exception = z.strictObject({
  aliases: version.shape.aliases.removeDefault().optional(),
  recipe: version.shape.recipe,
  user: build.shape.user.optional(),
  cpu: build.shape.cpu,
  guestAgent: build.shape.guestAgent.optional(),
});

const common = {
  name: image.name,
  title: image.title,
  description: image.description,
  homepage: image.homepage,
  licence: image.licence,
  at: z.url({ protocol: /^https$/ }).endsWith("/").describe("The address that all else is below"),
  mirrors: z.array(z.url({ protocol: /^https?$/ }).endsWith("/")).max(16).default([]).describe(
    "Addresses that hold the same tree as `at`",
  ),
  architectures: z.array(z.enum(architectures)).min(1).default([...architectures]),
  format: publishedFormat.default("qcow2"),
  packing: build.shape.packing,
  firmware: firmware.prefault({}),
  user: build.shape.user,
  cpu: build.shape.cpu,
  cloudInit: build.shape.cloudInit,
  guestAgent: build.shape.guestAgent,
  releases: z.record(version.shape.version, exception).default({}).describe(
    "What some versions have of their own, by version",
  ),
};

const kinds = Object.entries(strategies).map(([name, { options }]) =>
  z.strictObject({
    strategy: z.literal(name).describe("How its versions are found"),
    ...common,
    ...options.shape,
  })
);

/** One source of images, in the words of its strategy. */
export const source = z.discriminatedUnion("strategy", kinds as [typeof kinds[0]]);

const plainSource = z.strictObject(common);

/** What all sources have; the options of a strategy are its own to know. */
export type Source = z.output<typeof plainSource> & { strategy: keyof typeof strategies };

/** `registry/sources.yaml`: where the catalog comes from. */
export const sources = z.strictObject({
  schemaVersion: z.literal(1),
  sources: z.array(source).min(1),
}).superRefine(({ sources }, context) => {
  const names = sources.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) === index) continue;
    context.addIssue({
      code: "custom",
      path: ["sources", index, "name"],
      message: `the name ${name} is given twice`,
    });
  }
});
