import { Buffer } from "node:buffer";
import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { MOST_FILE_BYTES, readFilePart, textOf } from "../guest/file_content.ts";
import { quote } from "../guest/shell_words.ts";
import type { SshSession } from "../guest/ssh.ts";
import { operation } from "../operation.ts";
import { encoding, fileUser, guestPath } from "./guest_file.ts";
import { openSession } from "./reach.ts";
import { vmField } from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  path: guestPath,
  offset: z.int().min(-(2 ** 50)).max(2 ** 50).default(0).describe(
    "Byte to begin at: nextOffset of the last call; negative counts from the end",
  ),
  maxBytes: z.int().min(16).max(MOST_FILE_BYTES).default(32_768).describe(
    "Bytes to read at most, up to 1 MiB",
  ),
  encoding,
  user: fileUser,
});

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

const output = z.strictObject({
  path: z.string().describe("Path, as it was given"),
  content: z.string().describe("What the file holds from offset on"),
  encoding: z.enum(["text", "base64"]).describe("What the content is"),
  offset: count.describe("Where the content begins"),
  nextOffset: count.optional().describe("Offset for the next call; absent at the end of the file"),
  sizeBytes: count.describe("Size of the whole file"),
  isExact: z.boolean().describe("false: bytes that are no UTF-8 were replaced by U+FFFD"),
});

/** Reads a part of a file in a running VM. */
export async function readFile(
  context: Context,
  request: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  await using session = await openSession(context, request.name, `read ${request.path} in`);
  return await readFileIn(context, session, request);
}

/** Reads a part of a file over an open session. */
export async function readFileIn(
  { signal }: Context,
  session: SshSession,
  { path, offset, maxBytes, encoding, user }: Omit<z.output<typeof input>, "name">,
): Promise<z.input<typeof output>> {
  const wanted = { offset, length: maxBytes, asUser: user, signal };
  const part = await readFilePart(session, path, wanted);
  const { bytes, sizeBytes, isComplete } = part;
  const told = { path, encoding, sizeBytes };
  if (encoding === "base64") {
    const content = Buffer.from(bytes).toString("base64");
    const nextOffset = isComplete ? undefined : part.offset + bytes.length;
    return { ...told, content, offset: part.offset, nextOffset, isExact: true };
  }
  const { text, size, isExact, isBinary, ...begin } = textOf(part, offset < 0);
  if (isBinary) {
    throw new NidoError(
      "invalid_input",
      `Cannot read ${path} in VM "${session.name}" as text: it is binary`,
      { hint: `nido read-file ${session.name} ${quote(path)} --encoding base64` },
    );
  }
  const nextOffset = isComplete ? undefined : begin.offset + size;
  return { ...told, content: text, offset: begin.offset, nextOffset, isExact };
}

export default operation({
  name: "vm.read_file",
  summary: "Read a file in a VM",
  description:
    "A part of a file as text or base64, 32 KiB unless more is asked for; go on at nextOffset. For " +
    "a folder's names run ls with vm.exec; for large files and trees use vm.download.",
  effect: "read",
  input,
  output,
  positional: ["name", "path"],
  examples: [
    "nido read-file web /etc/os-release",
    "nido read-file web /var/log/syslog --user root --offset -4096",
  ],
  text: ({ content }) => content,
  verbatim: true,
  run: readFile,
});
