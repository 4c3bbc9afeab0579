import { join } from "node:path";
import type { Context } from "../context.ts";
import { toNidoError } from "../errors.ts";
import type { Recipe } from "../recipe/recipe.ts";
import { files } from "../store/files.ts";
import { prepareHome } from "../store/home.ts";
import { isLocked, withLock } from "../store/lock.ts";
import { writeRecord } from "../store/record.ts";
import { sweepStaging, withStaging } from "../store/staging.ts";
import {
  diskLock,
  findImage,
  type Image,
  imageLock,
  imageName,
  type ImageRecord,
  openImage,
} from "./image.ts";
import { refuser } from "./refuse.ts";
import { lookAtFile, readSourceFile } from "./source_file.ts";
import { stageSource } from "./stage_source.ts";
import { storeDisk } from "./store_disk.ts";
import { removeUnusedDisk } from "./unused_disks.ts";

const LONG_WORK_MS = 24 * 3600 * 1000;

/** An image to be made by a recipe. */
export interface Building {
  recipe: Recipe;
  name: string;
  /** Build anew, and replace whatever image has the name. */
  force: boolean;
}

/** What was made: a qcow2 disk in the folder, and what a VM made from it must know. */
export type Built =
  & { disk: string }
  & Pick<ImageRecord, "user" | "architecture" | "firmware" | "description">;

/** An image that a recipe gives. */
export interface BuiltImage {
  image: Image;
  /** The image of the name was made by this recipe before, and nothing was done. */
  reused: boolean;
}

/**
 * Makes an image in a staging folder and gives it its name. Builders of one name wait for each other;
 * the later ones find what the first one made.
 */
export async function storeBuilt(
  context: Context,
  { recipe, name, force }: Building,
  make: (folder: string) => Promise<Built>,
): Promise<BuiltImage> {
  const { home } = context;
  const doing = `build image "${name}"`;
  const refuse = refuser(doing);
  const fault = imageName.safeParse(name).error?.issues[0]?.message;
  if (fault !== undefined) throw refuse("invalid_input", fault);
  await prepareHome(home);
  await sweepStaging(home);
  const lock = { doing, patienceMs: LONG_WORK_MS };
  if (await isLocked(files.lock(home, imageLock(name)))) {
    context.report({ stage: "wait", message: `waiting for who else works on image "${name}"` });
  }
  return await withLock(context, { ...lock, what: imageLock(name) }, async () => {
    const present = await presentImage(home, name);
    if (present && !force) {
      if (present.image && isBy(recipe, present.image)) {
        return { image: present.image, reused: true };
      }
      throw refuse("already_exists", "the name is taken by another image", {
        hint: `nido image build ${recipe.reference} --name ${name} --force`,
        details: { name, digest: present.image?.digest },
      });
    }
    const digest = await withStaging(context, async (folder) => {
      const { disk, ...facts } = await make(folder);
      const file = await lookAtFile(disk, refuse);
      const source = { bytes: readSourceFile(file, refuse), sizeBytes: file.sizeBytes };
      const staged = await stageSource(
        context,
        { ...source, format: "qcow2", label: "what was built", refuse },
        join(folder, "source"),
      );
      await withLock(context, { ...lock, what: diskLock(staged.digest) }, async () => {
        await storeDisk(context, folder, staged, refuse);
        context.signal.throwIfAborted();
        const record: ImageRecord = {
          schemaVersion: 1,
          name,
          digest: staged.digest,
          ...facts,
          source: { recipe: recipe.reference, recipeDigest: recipe.digest },
          importedAt: context.now().toISOString(),
        };
        await writeRecord(files.image(home, name), record);
      });
      return staged.digest;
    });
    const replaced = present?.image?.digest;
    if (replaced && replaced !== digest) {
      await withLock(context, { ...lock, what: diskLock(replaced) }, async () => {
        await removeUnusedDisk(context, replaced);
      });
    }
    return { image: await openImage(home, name), reused: false };
  });
}

async function presentImage(home: string, name: string): Promise<{ image?: Image } | undefined> {
  try {
    const image = await findImage(home, name);
    return image && { image };
  } catch (error) {
    if (toNidoError(error).code === "integrity") return {}; // broken, and so not replaced unasked
    throw error;
  }
}

function isBy({ reference, digest }: Recipe, { source }: Image): boolean {
  return "recipe" in source && source.recipe === reference && source.recipeDigest === digest;
}
