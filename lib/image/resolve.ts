import type { Context } from "../context.ts";
import { toNidoError } from "../errors.ts";
import {
  type FileSource,
  findImage,
  type Image,
  imageNames,
  listImages,
  openImage,
} from "./image.ts";
import { importImage } from "./import.ts";
import { hasDiskSuffix, nameFromFile } from "./import_name.ts";
import { refuser } from "./refuse.ts";
import { lookAtFile, sameFile } from "./source_file.ts";

const ATTEMPTS = 5;

/**
 * The image that a reference means: a name, or a path of a file, which is imported on first use and
 * known again later by its place, size and time.
 */
export async function resolveImage(context: Context, reference: string): Promise<Image> {
  if (!looksLikePath(reference)) {
    const image = await findImage(context.home, reference);
    if (image) return image;
    if (!hasDiskSuffix(reference) || !await exists(reference)) {
      return await openImage(context.home, reference);
    }
  }
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

/** True for a reference that can only be a path: it has a separator or begins with a dot. */
export function looksLikePath(reference: string): boolean {
  return /[/\\]/.test(reference) || reference.startsWith(".");
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
