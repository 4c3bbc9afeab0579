import { z } from "zod";
import { packing, publishedFormat } from "../catalog/catalog.ts";
import { digest } from "../digest.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { loginUser } from "../guest/seed.ts";
import { nearestName } from "../nearest_name.ts";
import { files } from "../store/files.ts";
import { namesIn, readRecord } from "../store/record.ts";

/** The name of an image: safe as a file name on every platform's path rules. */
export const imageName = z.string().regex(
  /^[a-z0-9][a-z0-9._:-]{0,63}$/,
  "use a-z 0-9 . _ : - (at most 64, beginning with a letter or a digit)",
);

export const architecture = z.enum(["x86_64", "aarch64"]);
export type Architecture = z.output<typeof architecture>;

export const firmware = z.enum(["bios", "uefi"]);
export type Firmware = z.output<typeof firmware>;

/** Which file an image came from, exact enough to know it again without reading it. */
const fileSource = z.object({
  path: z.string(),
  sizeBytes: z.number(),
  modifiedAt: z.string(),
  inode: z.number().optional(),
});
export type FileSource = z.output<typeof fileSource>;

/** The address that an image was pulled from, and its entry in the catalog where it has one. */
const webSource = z.object({
  url: z.string(),
  reference: z.string().optional(),
  builtAt: z.string().optional(),
});
export type WebSource = z.output<typeof webSource>;

/** The recipe that an image was built from on this host. */
const recipeSource = z.object({ recipe: z.string(), recipeDigest: z.string() });
export type RecipeSource = z.output<typeof recipeSource>;

/** Where an image came from. */
export type ImageSource = FileSource | WebSource | RecipeSource;

/** `images/<name>.json`: a name for a stored disk and what a VM made from it must know. */
export const imageRecord = z.object({
  schemaVersion: z.literal(1),
  name: imageName,
  digest,
  user: loginUser,
  architecture,
  firmware,
  description: z.string().optional(),
  source: z.union([fileSource, webSource, recipeSource]),
  importedAt: z.string(),
});
export type ImageRecord = z.output<typeof imageRecord>;

/** What an image's publisher says of it, kept with a disk that was pulled. */
const diskFacts = z.object({
  name: imageName,
  user: loginUser,
  architecture,
  firmware,
  source: webSource,
});
export type DiskFacts = z.output<typeof diskFacts>;

/** `disks/sha256-<hex>/disk.json`: what is known of a stored disk, whatever its names. */
export const diskRecord = z.object({
  schemaVersion: z.literal(1),
  /** Of the bytes as they were published or given: the identity. */
  digest,
  storedDigest: digest,
  storedSizeBytes: z.number(),
  virtualSizeBytes: z.number(),
  sourceFormat: publishedFormat,
  sourceCompression: packing.optional(),
  storedAt: z.string(),
  /** What it can be spawned as by its digest, when no name means it any more. */
  facts: diskFacts.optional(),
});
export type DiskRecord = z.output<typeof diskRecord>;

/** An image that can be used: its record, and its stored disk, which nobody ever writes to. */
export interface Image extends Omit<ImageRecord, "schemaVersion"> {
  /** Absolute path of the read-only qcow2 disk. */
  diskPath: string;
  disk: DiskRecord;
}

/** An image as a list shows it: a broken one is named, with its problems. */
export type ListedImage =
  & { name: string; problems: string[] }
  & ({ state: "ready"; image: Image } | { state: "broken"; image?: undefined });

/** The lock that holds a stored disk in place: taken to stand on it, and to remove it. */
export function diskLock(digest: string): string {
  return `disk-${digest.replace(":", "-")}`;
}

/** The lock of an image's name. */
export function imageLock(name: string): string {
  return `image-${name}`;
}

/** The image of this name; `not_found` names the nearest one. */
export async function openImage(home: string, name: string): Promise<Image> {
  return await findImage(home, name) ?? Promise.reject(await unknownImage(home, name));
}

/** The image of this name, or undefined; a broken one is an `integrity` error. */
export async function findImage(home: string, name: string): Promise<Image | undefined> {
  if (!imageName.safeParse(name).success) return undefined;
  const record = await readRecord(files.image(home, name), imageRecord);
  if (!record) return undefined;
  const disk = await readRecord(files.diskRecord(home, record.digest), diskRecord);
  const diskPath = files.diskImage(home, record.digest);
  if (!disk || !await isFile(diskPath)) {
    // Race: the image was replaced or removed after its record was read. Then the record tells.
    const now = await readRecord(files.image(home, name), imageRecord);
    if (now?.digest !== record.digest) return await findImage(home, name);
    throw new NidoError("integrity", `Cannot use image "${name}": its disk is missing`, {
      hint: commandFor(record),
      details: { name, digest: record.digest, diskPath },
    });
  }
  const { schemaVersion: _, ...known } = record;
  return { ...known, name, diskPath, disk };
}

/** All images by name; one that is broken doesn't hide the others. */
export async function listImages(home: string): Promise<ListedImage[]> {
  const names = await imageNames(home);
  const listed = await Promise.all(names.map((name) => listImage(home, name)));
  return listed.filter((image) => image !== undefined);
}

/** The names of all images, broken ones too. */
export async function imageNames(home: string): Promise<string[]> {
  const names = await namesIn(files.images(home));
  return names.filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5)).sort();
}

async function listImage(home: string, name: string): Promise<ListedImage | undefined> {
  try {
    const image = await findImage(home, name);
    return image && { name, state: "ready", problems: [], image };
  } catch (error) {
    return { name, state: "broken", problems: [toNidoError(error).message] };
  }
}

/** The command that brings an image's disk once more. */
export function commandFor(
  { name, digest, source, user, architecture, firmware }: Omit<ImageRecord, "schemaVersion">,
): string {
  if ("path" in source) return `nido image import ${source.path} --name ${name} --force`;
  if ("recipe" in source) return `nido image build ${source.recipe} --name ${name}`;
  const isForeign = architecture !== Deno.build.arch;
  if (source.reference !== undefined) {
    return `nido image pull ${source.reference}` +
      (isForeign ? ` --architecture ${architecture}` : "");
  }
  return `nido image pull ${source.url}@${digest} --name ${name} --user ${user} ` +
    `--architecture ${architecture} --firmware ${firmware}`;
}

/** The error for an image that isn't there. */
export async function unknownImage(home: string, name: string): Promise<NidoError> {
  const names = await imageNames(home);
  const nearest = nearestName(name, names);
  const wanted = imageName.safeParse(name).success ? name : "NAME";
  return new NidoError(
    "not_found",
    `No image ${JSON.stringify(name)}` + (nearest ? `; the nearest is "${nearest}"` : ""),
    {
      hint: names.length > 0 ? "nido images" : `nido image import FILE --name ${wanted}`,
      details: { name, nearest },
    },
  );
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
