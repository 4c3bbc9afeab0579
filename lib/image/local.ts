import { findEntry, unknownReference } from "../catalog/find.ts";
import { catalogAtHand } from "../catalog/open.ts";
import { type NamedReference, parseReference, type Reference } from "../catalog/reference.ts";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { findByDigest } from "./by_digest.ts";
import {
  type Architecture,
  findImage,
  type Image,
  imageNames,
  listImages,
  unknownImage,
} from "./image.ts";

/** The name that an entry of the catalog has here: the host's own architecture goes without saying. */
export function localName(reference: string, architecture: Architecture): string {
  return architecture === Deno.build.arch ? reference : `${reference}-${architecture}`;
}

/** The image here that a reference means, whether by name, alias, digest or address. */
export async function findLocal(
  context: Context,
  text: string,
  architecture?: Architecture,
): Promise<Image | undefined> {
  const exact = await findImage(context.home, text);
  if (exact && (architecture === undefined || exact.architecture === architecture)) return exact;
  const image = await findReferred(context, parseReference(text), architecture);
  if (!image || architecture === undefined || image.architecture === architecture) return image;
  throw new NidoError(
    "invalid_input",
    `Cannot use image "${image.name}" for ${architecture}: it is for ${image.architecture}`,
    { hint: `nido image info ${image.name}`, details: { name: image.name, architecture } },
  );
}

async function findReferred(
  context: Context,
  reference: Reference,
  architecture: Architecture = Deno.build.arch,
): Promise<Image | undefined> {
  if (reference.kind === "url") return await ofAddress(context.home, reference);
  const { name, version, digest } = reference;
  const full = await fullName(context, reference, architecture);
  if (digest === undefined) return await findImage(context.home, full);
  const isVersion = (of: string) => version === undefined && of.startsWith(`${name}:`);
  const isMeant = (given: string) => given === full || given === name || isVersion(given);
  return await findByDigest(context.home, digest, isMeant);
}

async function ofAddress(
  home: string,
  { url, digest }: { url: string; digest?: string },
): Promise<Image | undefined> {
  const listed = await listImages(home);
  return listed.find(({ image }) =>
    image && "url" in image.source && image.source.url === url &&
    (digest === undefined || image.digest === digest)
  )?.image;
}

/** What a reference is called here: its alias resolved by the catalog at hand. */
async function fullName(
  context: Context,
  reference: NamedReference,
  architecture: Architecture,
): Promise<string> {
  const opened = await catalogAtHand(context);
  const entry = opened && findEntry(opened.catalog, reference);
  const { name, version } = reference;
  if (!entry) return version === undefined ? name : `${name}:${version}`;
  return localName(entry.reference, architecture);
}

/** The image here that a reference means; `not_found` tells how to get it. */
export async function openLocal(context: Context, text: string): Promise<Image> {
  const image = await findLocal(context, text);
  if (image) return image;
  const reference = parseReference(text);
  if (reference.kind === "url") throw await unknownImage(context.home, text);
  const opened = await catalogAtHand(context);
  const names = await imageNames(context.home);
  if (!opened || !findEntry(opened.catalog, reference)) {
    throw unknownReference(opened?.catalog, reference, names);
  }
  throw new NidoError("not_found", `Image ${JSON.stringify(text)} is not here yet`, {
    hint: `nido image pull ${text}`,
    details: { reference: text },
  });
}
