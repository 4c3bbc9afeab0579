import { join } from "node:path";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { inUse, momentsOn, templateDisks, usersOfLayers } from "../image/users.ts";
import { removeMoments } from "../moment/moment.ts";
import { templateFiles } from "../store/files.ts";
import { prepareHome } from "../store/home.ts";
import { withLock } from "../store/lock.ts";
import { writeRecord } from "../store/record.ts";
import { withStaging } from "../store/staging.ts";
import { placeTemplate } from "./replacement.ts";
import {
  openTemplate,
  type Template,
  templateLock,
  templateName,
  templateNames,
  type TemplateRecord,
  templateRecord,
} from "./template.ts";

const LONG_WORK_MS = 24 * 3600 * 1000;
const PLACE_MS = 120_000; // spawns from the one that is replaced may stand in line

/** What is made, and how it is told. */
export interface Making {
  name: string;
  /** `create template "web"` */
  doing: string;
  /** Replace the template that has the name, unless something stands on it. */
  force: boolean;
  /** The command that would replace it, as a hint. */
  again?: string;
}

/**
 * Makes a template in a staging folder and puts it in its place. Makers of one name wait for each
 * other; spawns from the one that is replaced wait only for the last step.
 */
export async function makeTemplate(
  context: Context,
  making: Making,
  build: (folder: string) => Promise<TemplateRecord>,
): Promise<Template> {
  const { name, doing } = making;
  const fault = templateName.safeParse(name).error?.issues[0]?.message;
  if (fault !== undefined) throw new NidoError("invalid_input", `Cannot ${doing}: ${fault}`);
  await prepareHome(context.home);
  const turn = { what: `making-${templateLock(name)}`, doing, patienceMs: LONG_WORK_MS };
  return await withLock(context, turn, async () => {
    await refuseTaken(context, making);
    await withStaging(context, async (staging) => {
      const folder = join(staging, "template");
      await Deno.mkdir(folder, { mode: 0o700 });
      const record = templateRecord.parse(await build(folder));
      await writeRecord(join(folder, templateFiles.record), record);
      const place = { what: templateLock(name), doing, patienceMs: PLACE_MS };
      await withLock(context, place, async () => {
        await refuseTaken(context, making);
        await removeWarmStates(context, name);
        await placeTemplate(context, folder, name);
      });
    });
    return await openTemplate(context, name);
  });
}

/** Removes the warm states of a template that nothing else stands on. */
export async function removeWarmStates(context: Context, name: string): Promise<void> {
  const moments = await momentsOn(context.home, templateDisks(context.home, name));
  await removeMoments(context, moments.map(({ id }) => id));
}

async function refuseTaken(context: Context, making: Making): Promise<void> {
  const { name, doing, force, again } = making;
  if (!(await templateNames(context.home)).includes(name)) return;
  if (!force) {
    throw new NidoError("already_exists", `Cannot ${doing}: template "${name}" exists`, {
      hint: again,
      details: { name },
    });
  }
  const users = await usersOfLayers(context.home, templateDisks(context.home, name));
  if (users.length > 0) throw inUse(doing, users);
}
