import { basename } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { type Refuse, refuser } from "../image/refuse.ts";
import { isDiskFull } from "../image/space_guard.ts";
import { field, operation } from "../operation.ts";
import { sha256 } from "../sha256.ts";
import { exportedFiles } from "../store/files.ts";
import { writeOutside } from "../store/outside_file.ts";
import { formatBytes } from "../units.ts";
import { packMembers } from "./archive.ts";
import type { manifest } from "./manifest.ts";
import { openTemplate, type Template, type TemplateRecord } from "./template.ts";

const CHUNK_BYTES = 1024 * 1024;

const input = z.strictObject({
  name: z.string().describe("The template's name"),
  file: field("hostPath", z.string().min(1)).describe("The file to write"),
  force: z.boolean().default(false).describe("Replace a file that is there"),
});

const output = z.strictObject({
  name: z.string().describe("The template's name"),
  file: z.string().describe("The file that was written"),
  digest: z.string().describe("The template's digest, which was computed anew"),
  sizeBytes: z.number().describe("The size of the file"),
});

/** Writes a template into one file, which another Nido can import. */
export async function exportTemplate(
  context: Context,
  { name, file, force }: z.output<typeof input>,
): Promise<z.output<typeof output>> {
  const template = await openTemplate(context, name);
  const refuse = refuser(`export template "${name}"`);
  await checkPlace(name, file, force, refuse);
  const members = await membersOf(context, template, refuse);
  const archive = packMembers(members, new Date(template.createdAt));
  try {
    await writeOutside(file, archive, { replace: force });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw taken(name, file, refuse);
    if (!isDiskFull(error)) throw error;
    throw refuse("exhausted", `there is no room for ${file}`, { cause: error });
  }
  return { name, file, digest: template.digest, sizeBytes: (await Deno.stat(file)).size };
}

async function checkPlace(
  name: string,
  file: string,
  force: boolean,
  refuse: Refuse,
): Promise<void> {
  const there = await Deno.stat(file).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  if (there?.isDirectory) throw refuse("invalid_input", `${file} is a folder`);
  if (there && !there.isFile) throw refuse("invalid_input", `${file} is not an ordinary file`);
  if (there && !force) throw taken(name, file, refuse);
}

/** The manifest and what it promises. */
async function membersOf(context: Context, template: Template, refuse: Refuse) {
  const { folder: _, compactPath, expandedPath: __, diskPath: ___, sizes, ...known } = template;
  const record: TemplateRecord = {
    ...known,
    schemaVersion: 1,
    sizes: { compactBytes: sizes.compactBytes },
  };
  const recordBytes = jsonBytes(record);
  const promise: z.output<typeof manifest> = {
    schemaVersion: 1,
    kind: "nido template",
    members: [
      {
        name: exportedFiles.record,
        sizeBytes: recordBytes.length,
        digest: `sha256:${await sha256(recordBytes)}`,
      },
      { name: exportedFiles.disk, sizeBytes: sizes.compactBytes, digest: template.digest },
    ],
  };
  const manifestBytes = jsonBytes(promise);
  return [
    inMemory(exportedFiles.manifest, manifestBytes),
    inMemory(exportedFiles.record, recordBytes),
    {
      name: exportedFiles.disk,
      sizeBytes: sizes.compactBytes,
      bytes: readWhole(context, template, compactPath, refuse),
    },
  ];
}

/** Reads the compact disk, and throws at its end when it is not the one that was stored. */
async function* readWhole(
  context: Context,
  { name, digest, sizes }: Template,
  path: string,
  refuse: Refuse,
): AsyncGenerator<Uint8Array> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  const damaged = (fact: string) =>
    refuse("integrity", `${basename(path)} is damaged: ${fact}`, {
      hint: `nido template verify ${name}`,
    });
  using file = await Deno.open(path);
  const { size } = await file.stat();
  if (size !== sizes.compactBytes) {
    throw damaged(`it has ${size} bytes, and had ${sizes.compactBytes}`);
  }
  for (let done = 0;;) {
    const buffer = new Uint8Array(CHUNK_BYTES);
    const count = await file.read(buffer);
    if (count === null) break;
    context.signal.throwIfAborted();
    const chunk = buffer.subarray(0, count);
    hash.update(chunk);
    done += count;
    context.report({ stage: "export", message: `Writing ${name}`, done, total: size });
    yield chunk;
  }
  const found = `sha256:${hash.digest("hex")}`;
  if (found !== digest) throw damaged(`its digest is ${found}, and was ${digest}`);
}

function inMemory(name: string, bytes: Uint8Array) {
  async function* once() {
    yield await Promise.resolve(bytes);
  }
  return { name, sizeBytes: bytes.length, bytes: once() };
}

function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value, null, 2) + "\n");
}

function taken(name: string, file: string, refuse: Refuse) {
  return refuse("already_exists", `${file} exists`, {
    hint: `nido template export ${name} ${file} --force`,
  });
}

export default operation({
  name: "template.export",
  summary: "Write a template into one file",
  description: "The file holds the template's record and its compact disk, with the digests of " +
    "both. Another Nido imports it with `template import`.",
  effect: "create",
  long: true,
  input,
  output,
  positional: ["name", "file"],
  examples: ["nido template export web web.nido.tar"],
  text: ({ name, file, sizeBytes }) =>
    `Exported template ${name} to ${file} (${formatBytes(sizeBytes)})`,
  run: exportTemplate,
});
