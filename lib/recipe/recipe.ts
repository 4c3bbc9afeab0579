import { z } from "zod";

const description = z.string().min(1).max(500).optional().describe("What it makes, in a sentence");

/** The address of a Debian archive: one word of a line of apt's sources. */
export const mirrorAddress = z.url({
  protocol: /^https?$/,
  message: "use an http or https address",
})
  .regex(/^[^\s[\]]*$/, "use an address without spaces");

const debianPackages = z.strictObject({
  kind: z.literal("debian-packages").describe("Made from Debian's packages, without a VM"),
  description,
  release: z.string().regex(/^[a-z][a-z0-9-]{1,30}$/, "use a release's code name, as bookworm")
    .describe("Code name of the Debian release"),
  packages: z.array(
    z.string().regex(/^[a-z0-9][a-z0-9+.-]{1,100}$/, "use a package's name"),
  ).max(1000).default([]).describe("Packages besides those that every guest needs"),
  mirror: mirrorAddress.optional().describe(
    "Archive to take them from; default this system's own Debian mirror",
  ),
  snapshot: z.iso.date("use a day, as 2026-01-31").optional().describe(
    "Take the packages as they were on this day, from a mirror laid out as snapshot.debian.org",
  ),
  diskGib: z.int().min(1).max(64).default(2).describe("Size of the disk as the guest sees it"),
});

const content = z.string().max(1_048_576).optional().describe("What it holds");
const source = z.string().min(1).max(4096).optional().describe(
  "Where it is on this host instead, seen from the recipe's folder",
);

/** Exactly one of the two ways to say what something holds. */
function held<T extends { content?: string; source?: string }>(
  { content, source }: T,
): boolean {
  return (content === undefined) !== (source === undefined);
}
const ONE = "give either content or source";

const file = z.strictObject({
  path: z.string().regex(/^\/[^\0]{1,4000}$/, "use an absolute path").describe("Path in the guest"),
  content,
  source,
  mode: z.string().regex(/^0?[0-7]{3}$/, "use an octal mode, as 644").optional().describe(
    "Permissions, octal; default 644 for content, those of the source else",
  ),
}).refine(held, ONE);

const script = z.strictObject({
  name: z.string().min(1).max(100).optional().describe("What it does, for the progress"),
  content,
  source,
}).refine(held, ONE);

const customize = z.strictObject({
  kind: z.literal("customize").describe("Made from another image, in a VM that is thrown away"),
  description,
  base: z.string().min(1).max(4096).describe("The image that it begins with"),
  userData: z.string().min(1).max(1_048_576).optional().describe("cloud-init user-data"),
  files: z.array(file).max(1000).default([]).describe("Files and folders to put in, in this order"),
  scripts: z.array(script).max(100).default([]).describe(
    "Scripts to run as root after that, in this order; the first that fails ends the build",
  ),
  cpus: z.int().min(1).max(256).optional().describe("Virtual CPUs while it is made"),
  memoryMib: z.int().min(128).max(4_194_304).optional().describe("Memory in MiB while it is made"),
  diskGib: z.number().min(0.001).max(16_384).optional().describe(
    "Size of the disk; default the base's own, and never less",
  ),
  timeoutSeconds: z.int().min(1).max(86_400).default(1800).describe(
    "Seconds that it may take to get ready, and that each script may take",
  ),
});

/** What a recipe file holds. */
export const recipeShape = z.discriminatedUnion(
  "kind",
  [debianPackages, customize],
  "use debian-packages or customize",
);

type RecipeContent = z.output<typeof recipeShape>;

/** How an image is made on this host, and where that is written. */
export type Recipe = RecipeContent & {
  /** Its name among those that Nido brings, or the absolute path of its file. */
  reference: string;
  /** Of the recipe's text. */
  digest: string;
  /** Where its sources are looked for; a recipe that Nido brings has none. */
  folder?: string;
};

/** A recipe for an image made from Debian's packages. */
export type PackagesRecipe = Extract<Recipe, { kind: "debian-packages" }>;

/** A recipe for an image made from another one. */
export type CustomizeRecipe = Extract<Recipe, { kind: "customize" }>;
