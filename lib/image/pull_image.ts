import type { Build } from "../catalog/catalog.ts";
import { buildFor, type Entry, findEntry, unknownReference } from "../catalog/find.ts";
import { type OpenCatalog, openCatalog } from "../catalog/open.ts";
import { type NamedReference, parseReference } from "../catalog/reference.ts";
import type { Context } from "../context.ts";
import { type Downloaded, withDownload } from "../download/download.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { files } from "../store/files.ts";
import { prepareHome } from "../store/home.ts";
import { withLock } from "../store/lock.ts";
import { readRecord, writeRecord } from "../store/record.ts";
import { withStaging } from "../store/staging.ts";
import { type AddressRequest, addressTarget } from "./address_target.ts";
import {
  type Architecture,
  diskLock,
  type Image,
  imageLock,
  imageNames,
  type ImageRecord,
  imageRecord,
  type ImageSource,
  openImage,
} from "./image.ts";
import { localName } from "./local.ts";
import { keepPublishedName } from "./published_name.ts";
import type { PullTarget } from "./pull_target.ts";
import { type Refuse, refuser } from "./refuse.ts";
import { storedDisk } from "./store_disk.ts";
import { storeDownloaded } from "./store_downloaded.ts";

const LONG_WORK_MS = 24 * 3600 * 1000;

/** What to pull beside the reference. */
export interface PullRequest extends AddressRequest {
  architecture?: Architecture;
  /** Address or file of the catalog. */
  from?: string;
}

/** A pulled image. */
export interface Pulled {
  image: Image;
  /** It was here already, and nothing was downloaded. */
  reused: boolean;
  /** What the caller should know besides. */
  notice?: string;
}

/** Downloads the image that a reference means, verifies it, and stores it under its name. */
export async function pullImage(
  context: Context,
  text: string,
  request: PullRequest = {},
): Promise<Pulled> {
  await prepareHome(context.home);
  const reference = parseReference(text);
  if (reference.kind === "url") {
    const target = addressTarget(reference, request);
    await keepPublishedName(context, target.facts.name, refuser(`pull ${target.label}`));
    return await fetched(context, target);
  }
  const opened = await openCatalog(context, { from: request.from });
  const target = await catalogTarget(context, opened, reference, request).catch(async (error) => {
    const newer = reference.digest &&
      await newerTarget(context, undefined, reference, request, error);
    return newer || Promise.reject(error);
  });
  try {
    return { ...await fetched(context, target), notice: opened.notice };
  } catch (error) {
    const newer = await newerTarget(context, target, reference, request, error);
    if (!newer) throw error;
    return await fetched(context, newer);
  }
}

/** Publishers take old files away; a catalog that is newer than ours may know the new place, or digest. */
async function newerTarget(
  context: Context,
  target: PullTarget | undefined,
  reference: NamedReference,
  request: PullRequest,
  error: unknown,
): Promise<PullTarget | undefined> {
  if (!["unavailable", "not_found"].includes(toNidoError(error).code)) return undefined;
  try {
    const opened = await openCatalog(context, { from: request.from, refresh: true });
    const newer = await catalogTarget(context, opened, reference, request);
    return JSON.stringify(newer.sources) === JSON.stringify(target?.sources) ? undefined : newer;
  } catch {
    context.signal.throwIfAborted();
    return undefined; // the first failure tells more
  }
}

async function catalogTarget(
  context: Context,
  { catalog }: OpenCatalog,
  reference: NamedReference,
  { architecture = Deno.build.arch }: PullRequest,
): Promise<PullTarget> {
  const entry = findEntry(catalog, reference);
  if (!entry) throw unknownReference(catalog, reference, await imageNames(context.home));
  const build = buildFor(entry, architecture);
  requireDigest(entry, build, reference);
  const { url, mirrors = [], partUrls, digest, sizeBytes, format, packing, user, builtAt } = build;
  const name = localName(entry.reference, architecture);
  return {
    label: entry.reference,
    sources: [partUrls ?? [url], ...mirrors.map((mirror) => [mirror])],
    digest,
    sizeBytes,
    format,
    packing,
    recipe: entry.version.recipe,
    keepsName: reference.digest !== undefined,
    facts: {
      name,
      user,
      architecture,
      firmware: architecture === "aarch64" ? "uefi" : build.firmware,
      source: { url, reference: entry.reference, builtAt },
    },
  };
}

function requireDigest(entry: Entry, build: Build, { digest }: NamedReference): void {
  if (digest === undefined || digest === build.digest) return;
  throw new NidoError(
    "not_found",
    `Cannot pull ${entry.reference}@${digest}: the catalog has ${build.digest} by now`,
    {
      hint: `nido image pull ${entry.reference}, or name a file: nido image import FILE`,
      details: { reference: entry.reference, wanted: digest, published: build.digest },
    },
  );
}

async function fetched(context: Context, target: PullTarget): Promise<Pulled> {
  const { digest, sources, sizeBytes, label } = target;
  const present = async (): Promise<Pulled | undefined> => {
    const image = digest && await keep(context, target, digest);
    return image ? { image, reused: true } : undefined;
  };
  const store = async (file: Downloaded): Promise<Pulled> => {
    const image = await keep(context, target, file.digest, file);
    return { image: image!, reused: false };
  };
  return await withDownload(context, { sources, digest, sizeBytes, label }, store, { present });
}

/** Gives a stored disk its name, storing it first when there is a file; undefined without either. */
async function keep(
  context: Context,
  target: PullTarget,
  digest: string,
  file?: Downloaded,
): Promise<Image | undefined> {
  const { home } = context;
  const { facts, format, packing, label, keepsName } = target;
  const refuse = refuser(`pull ${label}`);
  const lock = { doing: `store image "${facts.name}"`, patienceMs: LONG_WORK_MS };
  return await withLock(context, { ...lock, what: imageLock(facts.name) }, async () => {
    const named = await recordHere(home, facts.name, refuse);
    if (named && !isSameImage(named.source, target)) {
      throw refuse("already_exists", `"${facts.name}" is another image here`, {
        hint: `nido image info ${facts.name}, and nido image remove ${facts.name}`,
        details: { name: facts.name, digest: named.digest },
      });
    }
    return await withLock(context, { ...lock, what: diskLock(digest) }, async () => {
      const stored = file
        ? await withStaging(
          context,
          (folder) => storeDownloaded(context, folder, file, { format, packing, facts, refuse }),
        )
        : await storedDisk(home, digest);
      if (!stored) return undefined;
      context.signal.throwIfAborted();
      if (named?.digest === digest) return await openImage(home, facts.name);
      const record: ImageRecord = {
        schemaVersion: 1,
        ...facts,
        digest,
        importedAt: context.now().toISOString(),
      };
      if (!named || !keepsName) {
        await writeRecord(files.image(home, facts.name), record);
        return await openImage(home, facts.name);
      }
      return { ...record, diskPath: files.diskImage(home, digest), disk: stored };
    });
  });
}

/** Whether what has the name is an older state of what shall get it, or was built in its place. */
function isSameImage(old: ImageSource, { facts, recipe }: PullTarget): boolean {
  const { url, reference } = facts.source;
  if ("path" in old) return false;
  if ("recipe" in old) return old.recipe === recipe;
  return reference === undefined ? old.url === url : old.reference === reference;
}

/** What the name means here, though its disk be missing. */
async function recordHere(
  home: string,
  name: string,
  refuse: Refuse,
): Promise<ImageRecord | undefined> {
  try {
    return await readRecord(files.image(home, name), imageRecord);
  } catch (cause) {
    if (toNidoError(cause).code !== "integrity") throw cause;
    // It may be all that keeps a disk that was imported.
    throw refuse("already_exists", `"${name}" is here already, and can't be read`, {
      hint: `nido image remove ${name}`,
      details: { name },
      cause,
    });
  }
}
