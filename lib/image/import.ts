import { join } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { publishedFormat } from "../catalog/catalog.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { loginUser } from "../guest/seed.ts";
import { formatBytes } from "../units.ts";
import { field, operation } from "../operation.ts";
import { files } from "../store/files.ts";
import { prepareHome } from "../store/home.ts";
import { withLock } from "../store/lock.ts";
import { writeRecord } from "../store/record.ts";
import { sweepStaging, withStaging } from "../store/staging.ts";
import {
  architecture,
  diskLock,
  type FileSource,
  findImage,
  firmware,
  type Image,
  imageLock,
  imageName,
  type ImageRecord,
  openImage,
} from "./image.ts";
import { imageFields, showImage } from "./image_fields.ts";
import { nameFromFile } from "./import_name.ts";
import { machineFacts } from "./machine_facts.ts";
import { keepPublishedName } from "./published_name.ts";
import { type Refuse, refuser } from "./refuse.ts";
import { lookAtFile, readSourceFile, sameFile } from "./source_file.ts";
import { needSpace } from "./space_guard.ts";
import { stageSource } from "./stage_source.ts";
import { storeDisk } from "./store_disk.ts";
import { removeUnusedDisk } from "./unused_disks.ts";

const LONG_WORK_MS = 24 * 3600 * 1000;
const DEFAULT_USER = "nido";

const input = z.strictObject({
  file: field("hostPath", z.string().min(1)).describe(
    "The disk image: qcow2, raw, vmdk, vhdx or vdi, also packed as .xz, .gz, .bz2, .zst or .tar.xz",
  ),
  name: imageName.optional().describe("The image's name; by default made from the file's"),
  format: publishedFormat.optional().describe(
    "What the (unpacked) file is; by default its own marks decide",
  ),
  architecture: architecture.optional().describe(
    "The guest's architecture; by default what the file's name tells, else this host's",
  ),
  firmware: firmware.optional().describe(
    "How it boots; by default bios for x86_64 and uefi for aarch64",
  ),
  user: loginUser.optional().describe("The login user that VMs get (default nido)"),
  description: z.string().max(500).optional().describe("A note for people"),
  force: z.boolean().default(false).describe("Replace an image that has the name"),
});

/** What to import, and as what. */
export type ImportRequest = z.input<typeof input>;

/** Imports a local file; the same file under the same name again is found, not read. */
export async function importImage(
  context: Context,
  request: ImportRequest,
): Promise<{ image: Image; reused: boolean }> {
  const refuse = refuser(`import ${request.file}`);
  const source = await lookAtFile(request.file, refuse);
  const name = request.name ?? nameFromFile(source.path);
  const facts = machineFacts(request, source.path, refuse);
  await keepPublishedName(context, name, refuse);
  await prepareHome(context.home);
  await sweepStaging(context.home);
  const lock = { doing: `import image "${name}"`, patienceMs: LONG_WORK_MS };
  return await withLock(context, { ...lock, what: imageLock(name) }, async () => {
    const present = await presentImage(context.home, name);
    if (present && !request.force) {
      const known = present.image;
      if (known && sameFile(known.source, source) && asksNothingElse(known, request)) {
        return { image: known, reused: true };
      }
      throw new NidoError("already_exists", `Cannot import ${request.file}: "${name}" exists`, {
        hint: `nido image import ${request.file} --name ${name} --force`,
        details: { name, digest: known?.digest },
      });
    }
    const digest = await storeFile(context, request, source, refuse, async (digest) => {
      const record: ImageRecord = {
        schemaVersion: 1,
        name,
        digest,
        user: request.user ?? DEFAULT_USER,
        ...facts,
        description: request.description,
        source,
        importedAt: context.now().toISOString(),
      };
      await writeRecord(files.image(context.home, name), record);
    });
    const replaced = present?.image?.digest;
    if (replaced && replaced !== digest) {
      await withLock(context, { ...lock, what: diskLock(replaced) }, async () => {
        await removeUnusedDisk(context, replaced);
      });
    }
    return { image: await openImage(context.home, name), reused: false };
  });
}

/** Stores a file's disk, and calls `name` while the disk is held in place. */
async function storeFile(
  context: Context,
  request: ImportRequest,
  source: FileSource,
  refuse: Refuse,
  name: (digest: string) => Promise<void>,
): Promise<string> {
  return await withStaging(context, async (folder) => {
    await needSpace(context.home, await leastBytes(source), refuse);
    const staged = await stageSource(context, {
      bytes: readSourceFile(source, refuse),
      sizeBytes: source.sizeBytes,
      format: request.format,
      isRawAnyway: true,
      label: request.file,
      refuse,
    }, join(folder, "source"));
    const lock = { what: diskLock(staged.digest), doing: `store ${request.file}` };
    await withLock(context, { ...lock, patienceMs: LONG_WORK_MS }, async () => {
      await storeDisk(context, folder, staged, refuse);
      context.signal.throwIfAborted();
      await name(staged.digest);
    });
    return staged.digest;
  });
}

/** What a copy takes at least: holes are not copied. */
async function leastBytes(source: FileSource): Promise<number> {
  const { blocks } = await Deno.stat(source.path);
  return Math.min(source.sizeBytes, (blocks ?? Infinity) * 512);
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

function asksNothingElse(image: Image, request: ImportRequest): boolean {
  const { user, description, format } = request;
  return (user === undefined || user === image.user) &&
    (description === undefined || description === image.description) &&
    (format === undefined || format === image.disk.sourceFormat) &&
    (request.architecture === undefined || request.architecture === image.architecture) &&
    (request.firmware === undefined || request.firmware === image.firmware);
}

export default operation({
  name: "image.import",
  summary: "Import a disk image from a local file",
  description:
    "Stores a disk (qcow2, raw, vmdk, vhdx or vdi, also packed as .xz, .gz, .bz2, .zst or " +
    ".tar.xz) under a name that VMs can be spawned from, as one plain qcow2. The file is read once " +
    "and may be deleted afterwards. Images that refer to other files are refused.",
  effect: "create",
  long: true,
  input,
  output: z.strictObject({
    image: imageFields.describe("The image as it is stored now"),
    reused: z.boolean().describe("The same file was imported before, and nothing was read"),
  }),
  positional: ["file"],
  examples: [
    "nido image import debian-12-genericcloud-amd64.qcow2 --name debian",
    "nido image import disk.raw.xz --firmware uefi",
  ],
  text: ({ image, reused }) => {
    const sizes = `${formatBytes(image.virtualSizeBytes)}, ${formatBytes(image.diskBytes)} on disk`;
    return `${reused ? "Already here" : "Imported"}: image ${image.name} (${sizes})`;
  },
  run: async (context, request) => {
    const { image, reused } = await importImage(context, request);
    return { image: await showImage(context.home, image), reused };
  },
});
