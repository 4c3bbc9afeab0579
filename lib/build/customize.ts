import { join, resolve } from "node:path";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { checkUserData } from "../guest/user_data.ts";
import { type BuiltImage, storeBuilt } from "../image/built.ts";
import { looksLikePath } from "../image/import_name.ts";
import { resolveImage } from "../image/resolve.ts";
import { flatten } from "../qemu/image_tool.ts";
import type { CustomizeRecipe } from "../recipe/recipe.ts";
import { withCopiedDisk } from "../template/copy.ts";
import { openSession } from "../vm/reach.ts";
import { applyRecipe, checkSources } from "./apply.ts";
import { withThrowAwayVm } from "./throw_away.ts";

/**
 * Builds an image from another one: a VM of it is changed as the recipe says, and a copy of its disk
 * forgets who it was and becomes the image. Of the VM nothing stays.
 */
export async function buildCustomized(
  context: Context,
  recipe: CustomizeRecipe,
  name: string,
  force: boolean,
): Promise<BuiltImage & { problems: string[] }> {
  const doing = `build image "${name}"`;
  const problems: string[] = [];
  if (recipe.userData !== undefined) await checkUserData(recipe.userData);
  await checkSources(recipe, doing);
  const { image: base, notice } = await resolveImage(context, baseOf(recipe));
  if (notice) problems.push(notice);
  if (base.name === name) {
    throw new NidoError("invalid_input", `Cannot ${doing}: it would replace its own base`, {
      hint: `nido image build ${recipe.reference} --name ${name}-custom`,
    });
  }
  const built = await storeBuilt(context, { recipe, name, force }, async (folder) => {
    const disk = join(folder, "image.qcow2");
    await withThrowAwayVm(context, { recipe, base: base.name, image: name }, async (lent) => {
      problems.push(...lent.problems);
      await withSession(
        context,
        lent.vm,
        (session) => applyRecipe(context, session, recipe, doing),
      );
      problems.push(...await copyDisk(context, lent.vm, disk, recipe, doing));
    });
    const { user, architecture, firmware } = base;
    return { disk, user, architecture, firmware, description: recipe.description };
  });
  return { ...built, problems };
}

/** Writes the disk of a copy that has forgotten who it was; gives what could not be cleaned. */
async function copyDisk(
  context: Context,
  vm: string,
  disk: string,
  { timeoutSeconds }: CustomizeRecipe,
  doing: string,
): Promise<string[]> {
  const request = { vm, name: vm, keepIdentity: false, timeoutSeconds };
  try {
    return await withCopiedDisk(context, request, async (copied) => {
      await flatten(context, copied.disk, disk, { compress: true });
      return copied.problems;
    });
  } catch (cause) {
    if (context.signal.aborted || !(cause instanceof NidoError)) throw cause;
    // It speaks of a template of a VM, and the caller knows of neither.
    const fact = cause.message.replace(/^Cannot make a template of VM "[^"]*": /, "");
    throw new NidoError(cause.code, `Cannot ${doing}: ${fact}`, { details: cause.details, cause });
  }
}

function baseOf({ base, folder }: CustomizeRecipe): string {
  return folder !== undefined && looksLikePath(base) ? resolve(folder, base) : base;
}

async function withSession(
  context: Context,
  vm: string,
  use: (session: Awaited<ReturnType<typeof openSession>>) => Promise<void>,
): Promise<void> {
  await using session = await openSession(context, vm, "customize");
  await use(session);
}
