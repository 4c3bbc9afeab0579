import { z } from "zod";
import { readConfig } from "../config/config.ts";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { project } from "../project.ts";
import { sha256 } from "../sha256.ts";
import { shippedCatalog } from "../shipped.ts";
import { files } from "../store/files.ts";
import { prepareHome } from "../store/home.ts";
import { readRecord, writeRecord } from "../store/record.ts";
import { type Catalog, catalog as catalogShape, parseCatalog } from "./catalog.ts";
import { fetchCatalog } from "./fetch_catalog.ts";
import { looksLikeAddress } from "./reference.ts";

const FRESH_MS = 24 * 3600 * 1000;

/** `catalogs/<key>.json`: what an address gave, and when it was last asked. */
const kept = z.object({
  schemaVersion: z.literal(1),
  source: z.string(),
  etag: z.string().optional(),
  checkedAt: z.iso.datetime(),
  catalog: catalogShape,
});
type Kept = z.output<typeof kept>;

/** A catalog, and how far it can be relied on. */
export interface OpenCatalog {
  catalog: Catalog;
  /** Its address or file. */
  source: string;
  /** When its source was last asked; absent for the one that Nido brings and for a file. */
  checkedAt?: string;
  /** Why it may be out of date. */
  notice?: string;
}

/** Where a catalog may be taken from. */
export interface CatalogRequest {
  /** An address or a file; by default the one of the settings, else the project's. */
  from?: string;
  /** Ask the source even when the copy at hand is fresh; that it can't be reached is then an error. */
  refresh?: boolean;
}

/**
 * The catalog to look things up in: the copy at hand while it is fresh, else a new one; when that
 * can't be had the old one serves, with a notice.
 */
export async function openCatalog(
  context: Context,
  { from, refresh }: CatalogRequest = {},
): Promise<OpenCatalog> {
  const source = await sourceOf(context, from);
  if (!looksLikeAddress(source)) return await fromFile(source);
  const copy = await readKept(context.home, source);
  if (copy && !refresh && isFresh(context, copy)) return await newest(source, opened(copy));
  try {
    return await newest(source, await renewed(context, source, copy));
  } catch (error) {
    const { code, message } = toNidoError(error);
    if (code !== "unavailable" && code !== "integrity") throw error;
    const old = await atHand(source, copy);
    if (refresh || !old) throw error;
    const day = old.catalog.updatedAt.slice(0, 10);
    return { ...old, notice: `${message}; the catalog of ${day} serves instead` };
  }
}

/** The catalog as it is at hand, without asking anybody; undefined where there is none. */
export async function catalogAtHand(
  context: Context,
  from?: string,
): Promise<OpenCatalog | undefined> {
  const source = await sourceOf(context, from);
  if (!looksLikeAddress(source)) return await fromFile(source);
  return await atHand(source, await readKept(context.home, source));
}

async function sourceOf(context: Context, from?: string): Promise<string> {
  return from ?? (await readConfig(context)).catalog ?? project.catalog;
}

async function atHand(source: string, copy: Kept | undefined): Promise<OpenCatalog | undefined> {
  return await newest(source, copy && opened(copy));
}

/** The newer of the one at hand and, for the project's own, the one that Nido brings. */
async function newest<Had extends OpenCatalog | undefined>(
  source: string,
  had: Had,
): Promise<Had | OpenCatalog> {
  if (source !== project.catalog) return had;
  const shipped = parseCatalog(await shippedCatalog(), "of this Nido");
  return had && had.catalog.updatedAt >= shipped.updatedAt ? had : { catalog: shipped, source };
}

function opened({ catalog, source, checkedAt }: Kept): OpenCatalog {
  return { catalog, source, checkedAt };
}

async function renewed(
  context: Context,
  source: string,
  copy: Kept | undefined,
): Promise<OpenCatalog> {
  context.report({ stage: "catalog", message: `Asking ${source}` });
  const fetched = await fetchCatalog(context, source, copy?.etag);
  const checkedAt = context.now().toISOString();
  const next: Kept = fetched === "unchanged"
    ? { ...copy!, checkedAt }
    : { schemaVersion: 1, source, checkedAt, ...fetched };
  try {
    await prepareHome(context.home);
    await writeRecord(await pathOf(context.home, source), next);
    return opened(next);
  } catch (error) {
    return { ...opened(next), notice: `The catalog can't be kept: ${toNidoError(error).message}` };
  }
}

function isFresh(context: Context, { checkedAt }: Kept): boolean {
  const age = context.now().getTime() - Date.parse(checkedAt);
  return age >= 0 && age < FRESH_MS;
}

async function readKept(home: string, source: string): Promise<Kept | undefined> {
  try {
    return await readRecord(await pathOf(home, source), kept);
  } catch (error) {
    if (toNidoError(error).code !== "integrity") throw error;
    return undefined; // a damaged copy is fetched anew
  }
}

async function pathOf(home: string, source: string): Promise<string> {
  return files.catalog(home, (await sha256(source)).slice(0, 16));
}

async function fromFile(path: string): Promise<OpenCatalog> {
  try {
    return { catalog: parseCatalog(await Deno.readTextFile(path), path), source: path };
  } catch (error) {
    const isFolder = error instanceof Deno.errors.IsADirectory;
    if (!isFolder && !(error instanceof Deno.errors.NotFound)) throw error;
    const fact = isFolder ? "it is a folder" : "no such file";
    throw new NidoError("not_found", `Cannot read the catalog ${path}: ${fact}`, {
      hint: "nido config get catalog",
      cause: error,
    });
  }
}
