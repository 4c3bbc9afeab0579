import { z } from "zod";
import { digest } from "../digest.ts";
import { NidoError } from "../errors.ts";
import { compareVersions } from "./compare_versions.ts";

const address = z.url({ protocol: /^https?$/ });

/** How a disk is laid out in the file that a publisher offers. */
export const publishedFormat = z.enum(["qcow2", "raw", "vmdk", "vhdx", "vdi"]);
export type PublishedFormat = z.output<typeof publishedFormat>;

/** How that file is packed; a `tar.xz` holds one disk. */
export const packing = z.enum(["xz", "gz", "bz2", "zst", "tar.xz"]);
export type Packing = z.output<typeof packing>;

/** One file that can be pulled: a version of an image for one architecture. */
export const build = z.strictObject({
  url: address.describe("Where the file is; with partUrls, the page that it belongs to"),
  mirrors: z.array(address).max(16).optional().describe("Other addresses of the same bytes"),
  partUrls: z.array(address).min(2).max(999).optional().describe(
    "The parts that make up the file, in order, where it is published in parts",
  ),
  digest: digest.describe("The published digest of the whole file, packed as it comes"),
  sizeBytes: z.int().min(1).max(2 ** 53 - 1).optional().describe(
    "Size of the file, where it is known",
  ),
  format: publishedFormat.describe("What the unpacked file is"),
  packing: packing.optional().describe("How it is packed; absent: not at all"),
  firmware: z.enum(["bios", "uefi"]).describe("How it boots"),
  cpu: z.enum(["x86-64-v2", "x86-64-v3"]).optional().describe("The least processor that it needs"),
  user: z.string().regex(/^[a-z_][a-z0-9_-]{0,31}$/).describe("Its usual login user"),
  cloudInit: z.boolean().describe("It takes a cloud-init seed"),
  guestAgent: z.boolean().describe("QEMU's guest agent is inside"),
  builtAt: z.iso.datetime().optional().describe("When its publisher made it, where that is known"),
  stale: z.strictObject({
    since: z.iso.date().describe("The day of the first failure"),
    reason: z.string().min(1).max(500),
  }).optional().describe("Its source has failed since; this is what was known last"),
});
export type Build = z.output<typeof build>;

/** What an image's name here, `name:version-aarch64`, may have in all. */
const LONGEST_NAME = 64;
const word = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,31}$/, "use a-z 0-9 . _ - (at most 32)");

/** One version of an image; `12` of `debian`. */
export const version = z.strictObject({
  version: word.describe("What follows the colon: 12, 24.04, 20261115"),
  aliases: z.array(word).max(8).default([]).describe("Other words for it: bookworm"),
  builds: z.strictObject({ x86_64: build.optional(), aarch64: build.optional() }).describe(
    "The file for each architecture",
  ),
  recipe: word.optional().describe("The recipe to build it from where no file can be reached"),
}).refine(
  ({ builds, recipe }) => builds.x86_64 || builds.aarch64 || recipe,
  { error: "it has neither a file nor a recipe", path: ["builds"] },
);
export type Version = z.output<typeof version>;

/** One image: a distribution, or a flavour of one. */
export const catalogImage = z.strictObject({
  name: word.describe("What comes before the colon"),
  title: z.string().min(1).max(100).describe("Its name as people write it"),
  description: z.string().min(1).max(500).describe("What it is for, in a sentence"),
  homepage: address,
  licence: z.string().min(1).max(300).optional().describe("Licence, or terms to be accepted"),
  versions: z.array(version).min(1).describe("Its versions, newest first"),
});
export type CatalogImage = z.output<typeof catalogImage>;

/** `registry/images.json`: what can be pulled by name. */
export const catalog = z.strictObject({
  $schema: z.string().optional(),
  schemaVersion: z.literal(1),
  updatedAt: z.iso.datetime().describe("When its content last changed"),
  images: z.array(catalogImage),
}).superRefine(({ images }, context) => {
  const refuse = (path: PropertyKey[], message: string) =>
    context.addIssue({ code: "custom", path, message });
  repeated(images.map(({ name }) => name)).forEach((name) =>
    refuse(["images"], `the name ${name} is given twice`)
  );
  for (const [index, { name, versions }] of images.entries()) {
    const path = ["images", index, "versions"];
    const long = versions.find(({ version }) => `${name}:${version}-aarch64`.length > LONGEST_NAME);
    if (long) refuse(path, `${name}:${long.version} is too long to be an image's name`);
    const words = versions.flatMap(({ version, aliases }) => [version, ...aliases]);
    if (words.includes("latest")) refuse(path, "latest is always the first version");
    repeated(words).forEach((word) => refuse(path, `${word} means two versions`));
    const names = versions.map(({ version }) => version);
    if (names.some((name, at) => at > 0 && compareVersions(name, names[at - 1]!) > 0)) {
      refuse(path, "the newest version comes first");
    }
  }
});
export type Catalog = z.output<typeof catalog>;

function repeated(words: string[]): string[] {
  return [...new Set(words.filter((word, index) => words.indexOf(word) !== index))];
}

/** Reads a catalog's text; `integrity` says where it is wrong. */
export function parseCatalog(text: string, title: string): Catalog {
  const refuse = (fact: string, cause: unknown) =>
    new NidoError("integrity", `Cannot use the catalog ${title}: ${fact}`, {
      hint: "nido image refresh",
      cause,
    });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refuse("it is not JSON", cause);
  }
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (version !== 1) {
    throw refuse(`its schemaVersion is ${JSON.stringify(version)}, this Nido knows 1`, undefined);
  }
  const parsed = catalog.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw refuse(`${issue.path.join(".") || "it"}: ${issue.message}`, parsed.error);
}
