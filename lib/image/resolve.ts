import { findEntry } from "../catalog/find.ts";
import { catalogAtHand } from "../catalog/open.ts";
import { parseReference } from "../catalog/reference.ts";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { openRecipe } from "../recipe/open.ts";
import { buildImage } from "./build_packages.ts";
import {
  type Architecture,
  type FileSource,
  findImage,
  type Image,
  imageNames,
  listImages,
} from "./image.ts";
import { importImage } from "./import.ts";
import { hasDiskSuffix, looksLikePath, nameFromFile } from "./import_name.ts";
import { findLocal } from "./local.ts";
import { pullImage } from "./pull_image.ts";
import { refuser } from "./refuse.ts";
import { lookAtFile, sameFile } from "./source_file.ts";

const ATTEMPTS = 5;

/** The image that a reference means, and what the caller should know of how it came here. */
export interface Resolved {
  image: Image;
  notice?: string;
}

/**
 * The image that a reference means: one that is here, a file, which is imported on first use and
 * known again later by its place, size and time, or one that is pulled first.
 */
export async function resolveImage(
  context: Context,
  reference: string,
  architecture?: Architecture,
): Promise<Resolved> {
  const isPath = looksLikePath(reference);
  if (!isPath) {
    const image = await findImage(context.home, reference);
    if (image && (architecture ?? image.architecture) === image.architecture) return { image };
  }
  if (isPath || (hasDiskSuffix(reference) && await exists(reference))) {
    return { image: await ofFile(context, reference) };
  }
  const image = await findLocal(context, reference, architecture);
  return image ? { image } : await bring(context, reference, architecture);
}

/** Pulls or builds an image; who was faster with its name has decided what it means. */
async function bring(
  context: Context,
  reference: string,
  architecture?: Architecture,
): Promise<Resolved> {
  try {
    return await pullOrBuild(context, reference, architecture);
  } catch (error) {
    // Race: another process gave the name an image while this one pulled or built.
    const isTaken = toNidoError(error).code === "already_exists";
    const image = isTaken ? await findLocal(context, reference, architecture) : undefined;
    if (!image) throw error;
    return { image };
  }
}

/** Pulls an image, or builds it where it can't be pulled and the one who asks sits at this machine. */
async function pullOrBuild(
  context: Context,
  text: string,
  architecture: Architecture = Deno.build.arch,
): Promise<Resolved> {
  try {
    return await pullImage(context, text, { architecture });
  } catch (error) {
    const { code, message } = toNidoError(error);
    const entry = await entryToBuild(context, text, architecture);
    if (!entry || !["unavailable", "not_found"].includes(code)) throw error;
    const { recipe, reference, user } = entry;
    const { surface } = context.actor;
    if (surface === "mcp" || surface === "rest") {
      throw new NidoError(code, `${message}; somebody at this machine can build it`, {
        hint: `nido image build ${recipe} --name ${reference}`,
        details: { reference, recipe },
        cause: error,
      });
    }
    context.report({ stage: "build", message: `${message}. Building ${reference} here instead` });
    const notice = `its image was built here by the recipe ${recipe}: no download can be reached`;
    const opened = await openRecipe(recipe);
    return { image: await buildImage(context, opened, reference, { user }), notice };
  }
}

/** The entry with a recipe that a reference means; a digest means one file, which no build gives. */
async function entryToBuild(context: Context, text: string, architecture: Architecture) {
  const reference = parseReference(text);
  if (reference.kind === "url" || reference.digest || architecture !== Deno.build.arch) return;
  const opened = await catalogAtHand(context);
  const entry = opened && findEntry(opened.catalog, reference);
  const recipe = entry?.version.recipe;
  if (!recipe) return;
  return { recipe, reference: entry.reference, user: entry.version.builds[architecture]?.user };
}

async function ofFile(context: Context, reference: string): Promise<Image> {
  const source = await lookAtFile(reference, refuser(`import ${reference}`));
  for (let attempt = 1;; attempt++) {
    const known = await imageOfFile(context.home, source);
    if (known) return known;
    try {
      return (await importImage(context, await request(context.home, reference, source))).image;
    } catch (error) {
      // Race: another process took the name between our choice and our lock. Choose again.
      if (toNidoError(error).code !== "already_exists" || attempt === ATTEMPTS) throw error;
    }
  }
}

async function imageOfFile(home: string, source: FileSource): Promise<Image | undefined> {
  const listed = await listImages(home);
  return listed.find(({ image }) => image && sameFile(image.source, source))?.image;
}

/** A name of its own for a file, or the name that an older state of the same file has. */
async function request(home: string, file: string, source: FileSource) {
  const wanted = nameFromFile(source.path);
  const listed = await listImages(home);
  const older = listed.find(({ name, image }) =>
    name === wanted && image && "path" in image.source && image.source.path === source.path
  );
  if (older?.image) {
    const { user, architecture, firmware, description } = older.image;
    return { file, name: wanted, user, architecture, firmware, description, force: true };
  }
  const taken = new Set(await imageNames(home));
  let name = wanted;
  for (let next = 2; taken.has(name); next++) name = `${wanted.slice(0, 60)}-${next}`;
  return { file, name };
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false; // whatever stops us from seeing it, it is no file to import
  }
}
