import { Buffer } from "node:buffer";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { MOST_FILE_BYTES, writeFileContent } from "../guest/file_content.ts";
import type { SshSession } from "../guest/ssh.ts";
import { field, operation } from "../operation.ts";
import { encoding, fileUser, guestPath } from "./guest_file.ts";
import { openSession } from "./reach.ts";
import { vmField } from "./vm.ts";

const MOST_BASE64 = 4 * Math.ceil(MOST_FILE_BYTES / 3);

const input = z.strictObject({
  name: vmField,
  path: guestPath,
  content: field("content", z.string()).describe("What the file is to hold, up to 1 MiB"),
  encoding,
  mode: z.string().regex(/^0?[0-7]{3}$/, "must be octal, such as 644 or 755").optional().describe(
    "Permissions, octal; default 644 for a new file, and those of the old one else",
  ),
  append: z.boolean().default(false).describe("Add to the end of what is there"),
  makeFolders: z.boolean().default(false).describe("Make the folders of the path that are missing"),
  user: fileUser,
});

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const output = z.strictObject({
  path: z.string().describe("Path, as it was given"),
  isNew: z.boolean().describe("Whether there was no such file before"),
  writtenBytes: count.describe("Bytes that were written"),
  sizeBytes: count.describe("Size of the file now"),
});

/** Writes a file in a running VM: whole, or not at all. */
export async function writeFile(
  context: Context,
  request: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const bytes = contentBytes(request);
  await using session = await openSession(context, request.name, `write ${request.path} in`);
  return await writeFileIn(context, session, request, bytes);
}

/** Writes a file over an open session. */
export async function writeFileIn(
  { signal }: Context,
  session: SshSession,
  request: Omit<z.output<typeof input>, "name">,
  bytes = contentBytes(request),
): Promise<z.input<typeof output>> {
  const { path, mode, append, makeFolders, user } = request;
  const how = { mode, append, makeFolders, asUser: user, signal };
  const written = await writeFileContent(session, path, bytes, how);
  return { path, ...written, writtenBytes: bytes.length };
}

type Content = Pick<z.output<typeof input>, "content" | "encoding" | "path">;

function contentBytes({ content, encoding, path }: Content): Uint8Array {
  const refuse = (fact: string, hint: string) =>
    new NidoError("invalid_input", `Cannot write ${path}: ${fact}`, { hint });
  const tooMuch = () =>
    refuse("one call writes 1 MiB at most", "nido write-file --append, or nido upload");
  if (content.length > MOST_BASE64) throw tooMuch();
  if (encoding === "base64" && !/^[A-Za-z0-9+/]*={0,2}$/.test(content.replace(/\s+/g, ""))) {
    throw refuse("its content is not base64", "nido write-file --help");
  }
  const bytes = Buffer.from(content, encoding === "base64" ? "base64" : "utf8");
  if (bytes.length > MOST_FILE_BYTES) throw tooMuch();
  return bytes;
}

export default operation({
  name: "vm.write_file",
  summary: "Write a file in a VM",
  description:
    "Text or base64 takes the place of the file at once, or, if anything fails, nothing changes. " +
    "Owner and permissions of an old file stay. For more than 1 MiB, or folders, use vm.upload.",
  effect: "change",
  input,
  output,
  positional: ["name", "path"],
  examples: [
    "echo hello | nido write-file web notes.txt --content -",
    "nido write-file web /etc/motd --content motd.txt --user root",
  ],
  text: ({ path, isNew, sizeBytes }) =>
    `${path} ${isNew ? "is made" : "is written"}: ${sizeBytes} bytes`,
  run: writeFile,
});
