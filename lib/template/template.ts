import { join } from "node:path";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { nearestName } from "../nearest_name.ts";
import { files, templateFiles } from "../store/files.ts";
import { isThere } from "../store/is_there.ts";
import { withLock } from "../store/lock.ts";
import { namesIn, readRecord } from "../store/record.ts";
import { templateName, type TemplateRecord, templateRecord } from "./record.ts";
import { settleReplacement } from "./replacement.ts";

export { templateName, type TemplateRecord, templateRecord };

/** A template that can be used: its record, and its disks, which nobody ever writes to. */
export interface Template extends Omit<TemplateRecord, "schemaVersion"> {
  folder: string;
  compactPath: string;
  /** Only where there is one. */
  expandedPath?: string;
  /** The disk that VMs stand on: the expanded one where there is one, else the compact one. */
  diskPath: string;
}

/** A template as a list shows it: a broken one is named, with its problems. */
export type ListedTemplate =
  & { name: string; problems: string[] }
  & ({ state: "ready"; template: Template } | { state: "broken"; template?: undefined });

/** The lock that holds a template in place: taken to stand on it, to replace and to delete it. */
export function templateLock(name: string): string {
  return `template-${name}`;
}

/** The template of this name; `not_found` names the nearest one. */
export async function openTemplate(context: Context, name: string): Promise<Template> {
  return await findTemplate(context, name) ??
    Promise.reject(await unknownTemplate(context.home, name));
}

/** The template of this name, or undefined; a broken one is an `integrity` error. */
export async function findTemplate(context: Context, name: string): Promise<Template | undefined> {
  const { home } = context;
  if (!templateName.safeParse(name).success) return undefined;
  const found = await readTemplate(home, name);
  if (found) return found;
  // Race: another takes its place at this moment, or was killed while it did.
  if (await isThere(files.replacedTemplate(home, name))) {
    const request = { what: templateLock(name), doing: `look for template "${name}"` };
    await withLock(context, request, () => settleReplacement(home, name));
  }
  return await readTemplate(home, name);
}

/** The same, for who holds the template's lock. */
export async function readTemplate(home: string, name: string): Promise<Template | undefined> {
  const folder = files.template(home, name);
  const record = await readRecord(join(folder, templateFiles.record), templateRecord);
  if (!record) {
    if (!await isThere(folder)) return undefined;
    throw broken(name, `its ${templateFiles.record} is missing`);
  }
  const compactPath = join(folder, templateFiles.compact(name));
  const expandedPath = join(folder, templateFiles.expanded(name));
  if (!await isThere(compactPath)) {
    // Race: it was deleted or replaced after its record was read.
    const now = await readRecord(join(folder, templateFiles.record), templateRecord);
    if (now?.digest !== record.digest) return await readTemplate(home, name);
    throw broken(name, `its ${templateFiles.compact(name)} is missing`);
  }
  const { schemaVersion: _, ...known } = record;
  const hasExpanded = known.sizes.expandedBytes !== undefined && await isThere(expandedPath);
  return {
    ...known,
    name,
    folder,
    compactPath,
    expandedPath: hasExpanded ? expandedPath : undefined,
    diskPath: hasExpanded ? expandedPath : compactPath,
  };
}

/** All templates by name; one that is broken doesn't hide the others. */
export async function listTemplates(context: Context): Promise<ListedTemplate[]> {
  const names = await templateNames(context.home);
  const listed = await Promise.all(names.map((name) => listTemplate(context, name)));
  return listed.filter((template) => template !== undefined);
}

/** The names of all templates, broken ones too. */
export async function templateNames(home: string): Promise<string[]> {
  const names = await namesIn(files.templates(home));
  const plain = names.map((name) => /^\.(.+)\.replaced$/.exec(name)?.[1] ?? name);
  return [...new Set(plain)].filter((name) => templateName.safeParse(name).success).sort();
}

/** The error for a template that isn't there. */
export async function unknownTemplate(home: string, name: string): Promise<NidoError> {
  const names = await templateNames(home);
  const nearest = nearestName(name, names);
  return new NidoError(
    "not_found",
    `No template ${JSON.stringify(name)}` + (nearest ? `; the nearest is "${nearest}"` : ""),
    {
      hint: names.length > 0 ? "nido templates" : "nido template create VM NAME",
      details: { name, nearest },
    },
  );
}

async function listTemplate(context: Context, name: string): Promise<ListedTemplate | undefined> {
  try {
    const template = await findTemplate(context, name);
    return template && { name, state: "ready", problems: [], template };
  } catch (error) {
    return { name, state: "broken", problems: [toNidoError(error).message] };
  }
}

function broken(name: string, fact: string): NidoError {
  return new NidoError("integrity", `Template "${name}" is broken: ${fact}`, {
    hint: `nido template delete ${name}`,
    details: { name },
  });
}
