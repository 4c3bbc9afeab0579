import type { FileSource, ImageSource } from "./image.ts";
import type { Refuse } from "./refuse.ts";
import { StreamHead } from "./stream_head.ts";

const CHUNK_BYTES = 256 * 1024;

/** What identifies a file as a source: where it is, how long, when changed. */
export async function lookAtFile(file: string, refuse: Refuse): Promise<FileSource> {
  try {
    const path = await Deno.realPath(file);
    const stat = await Deno.stat(path);
    if (stat.isDirectory) throw refuse("invalid_input", "it is a folder");
    if (!stat.isFile) throw refuse("invalid_input", "it is not an ordinary file");
    if (stat.size === 0) throw refuse("invalid_input", "it is empty");
    return fileSource(path, stat);
  } catch (error) {
    throw unreadable(error, refuse);
  }
}

/** True when a source is the file that was looked at, unchanged. */
export function sameFile(one: ImageSource, other: FileSource): boolean {
  return "path" in one && one.path === other.path && one.sizeBytes === other.sizeBytes &&
    one.modifiedAt === other.modifiedAt && one.inode === other.inode;
}

/** Reads a file once; throws when it is not, from open to end, the file that was looked at. */
export async function* readSourceFile(
  source: FileSource,
  refuse: Refuse,
): AsyncGenerator<Uint8Array> {
  using file = await openFile(source.path, refuse);
  let readBytes = 0;
  for await (const chunk of chunksOf(file)) {
    readBytes += chunk.length;
    yield chunk;
  }
  const now = fileSource(source.path, await file.stat());
  if (!sameFile(source, now) || readBytes !== source.sizeBytes) {
    throw refuse("integrity", "it changed while it was read", {
      hint: "wait until the file is complete, then import it again",
      details: { before: source, after: now, readBytes },
    });
  }
}

/** The bytes of a file of our own, which nobody changes meanwhile. */
export async function* readWholeFile(path: string): AsyncGenerator<Uint8Array> {
  using file = await Deno.open(path);
  yield* chunksOf(file);
}

async function* chunksOf(file: Deno.FsFile): AsyncGenerator<Uint8Array> {
  for (;;) {
    const buffer = new Uint8Array(CHUNK_BYTES);
    const count = await file.read(buffer);
    if (count === null) return;
    yield buffer.subarray(0, count);
  }
}

/** The first bytes of a file of our own; fewer where it is shorter. */
export async function readFileHead(path: string, length: number): Promise<Uint8Array> {
  await using head = await StreamHead.take(readWholeFile(path), length);
  return head.head;
}

async function openFile(path: string, refuse: Refuse): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path);
  } catch (error) {
    throw unreadable(error, refuse);
  }
}

function fileSource(path: string, stat: Deno.FileInfo): FileSource {
  return {
    path,
    sizeBytes: stat.size,
    modifiedAt: (stat.mtime ?? new Date(0)).toISOString(),
    inode: stat.ino ?? undefined,
  };
}

function unreadable(error: unknown, refuse: Refuse): unknown {
  if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
    return refuse("not_found", "no such file", { cause: error });
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return refuse("denied", "it may not be read", { cause: error });
  }
  return error;
}
