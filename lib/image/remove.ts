import { z } from "zod";
import type { Context } from "../context.ts";
import { digest as digestShape } from "../digest.ts";
import { NidoError } from "../errors.ts";
import { operation } from "../operation.ts";
import { files } from "../store/files.ts";
import { withLock } from "../store/lock.ts";
import { removeIfThere, syncFolder } from "../store/record.ts";
import { diskLock, imageLock, imageName, imageNames, unknownImage } from "./image.ts";
import { openLocal } from "./local.ts";
import { namesOfDisk, removeUnusedDisk } from "./unused_disks.ts";
import { diskUsers, inUse } from "./users.ts";

/** What a removal did. */
export interface Removal {
  name: string;
  digest?: string;
  freedBytes: number;
}

/**
 * Removes an image, and its disk when no other image means it; refused while VMs stand on it, and,
 * where the caller says which state it means, when the name means another by now.
 */
export async function removeImage(
  context: Context,
  name: string,
  meant?: string,
): Promise<Removal> {
  const { home } = context;
  const exists = async () =>
    imageName.safeParse(name).success && (await imageNames(home)).includes(name);
  // Before the lock, whose file would carry the name.
  if (!await exists()) throw await unknownImage(home, name);
  const lock = { doing: `remove image "${name}"` };
  return await withLock(context, { ...lock, what: imageLock(name) }, async () => {
    if (!await exists()) throw await unknownImage(home, name);
    const digest = await digestOfRecord(files.image(home, name));
    if (meant !== undefined && digest !== meant) throw anotherState(name, meant);
    if (!digest) {
      await forgetImage(home, name);
      return { name, freedBytes: 0 };
    }
    return await withLock(context, { ...lock, what: diskLock(digest) }, async () => {
      const others = (await namesOfDisk(home, digest)).filter((other) => other !== name);
      if (others.length === 0) await refuseUsed(home, name, digest);
      await forgetImage(home, name);
      return { name, digest, freedBytes: await removeUnusedDisk(context, digest) };
    });
  });
}

/** The name itself, though its image be broken, or the name and state that a reference means. */
async function meantBy(
  context: Context,
  text: string,
): Promise<{ name: string; digest?: string }> {
  if ((await imageNames(context.home)).includes(text)) return { name: text };
  return await openLocal(context, text);
}

function anotherState(name: string, meant: string): NidoError {
  return new NidoError("not_found", `Cannot remove image "${name}": it is not ${meant} any more`, {
    hint: `nido cache remove ${meant}`,
    details: { name, digest: meant },
  });
}

async function refuseUsed(home: string, name: string, digest: string): Promise<void> {
  const users = await diskUsers(home, digest);
  if (users.length === 0) return;
  throw inUse(`remove image "${name}"`, users);
}

/** Takes a name from what it means; the caller holds its lock. */
export async function forgetImage(home: string, name: string): Promise<void> {
  await removeIfThere(files.image(home, name));
  await syncFolder(files.images(home));
}

/** The digest in an image's record, even in one that is broken otherwise. */
async function digestOfRecord(path: string): Promise<string | undefined> {
  try {
    return digestShape.safeParse(JSON.parse(await Deno.readTextFile(path)).digest).data;
  } catch {
    return undefined; // beyond reading: only the name can be removed
  }
}

export default operation({
  name: "image.remove",
  summary: "Remove an image",
  description: "Removes an image and its stored disk. Refused while a VM stands on it.",
  effect: "destroy",
  input: z.strictObject({
    name: z.string().min(1).max(4096).describe("The image's name or reference"),
  }),
  output: z.strictObject({
    name: z.string().describe("The name that is free now"),
    digest: z.string().optional().describe("What the image was"),
    freedBytes: z.number().describe("What its disk took; 0 while another image means it"),
  }),
  positional: ["name"],
  examples: ["nido image remove debian"],
  text: ({ name }) => `Removed image ${name}`,
  run: async (context, { name: text }) => {
    const { name, digest } = await meantBy(context, text);
    return await removeImage(context, name, digest);
  },
});
