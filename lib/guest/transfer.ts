import type { Buffer } from "node:buffer";
import type { Tally } from "./copying.ts";
import type { Sftp } from "./sftp.ts";

// 2 MiB under way: one SSH window. OpenSSH answers up to 255 KiB at once, others often 32 KiB.
const CHUNK = 128 * 1024;
const UNDER_WAY = 16;

/** Reads a guest's open file to its real end into a local one, many requests at a time. */
export async function fetchContent(
  sftp: Sftp,
  handle: Buffer,
  to: Deno.FsFile,
  path: string,
  told: number,
  tally: Tally,
): Promise<void> {
  const queue: Promise<Uint8Array[]>[] = [];
  let asked = 0;
  let size = 0;
  try {
    for (let ended = false; !ended;) {
      // Beyond the size that was told, one request at a time looks for the end.
      while (queue.length === 0 || (queue.length < UNDER_WAY && asked < told)) {
        queue.push(expected(readWhole(sftp, handle, asked, told)));
        asked += CHUNK;
      }
      let got = 0;
      for (const part of await queue.shift()!) {
        await writeAll(to, part);
        got += part.length;
        tally.addBytes(part.length);
      }
      size += got;
      tally.checkSize(path, told, size);
      ended = got < CHUNK;
    }
  } finally {
    await Promise.allSettled(queue);
  }
}

/** One chunk, asked for again where the answer was short; less than a chunk is the end. */
async function readWhole(sftp: Sftp, handle: Buffer, offset: number, told: number) {
  const parts: Uint8Array[] = [];
  for (let size = 0; size < CHUNK;) {
    const part = await sftp.read(handle, offset + size, CHUNK - size);
    if (part.length === 0) break;
    parts.push(part);
    size += part.length;
    if (offset + size === told) break;
  }
  return parts;
}

async function writeAll(to: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

/** Writes a local file into a guest's open one, many requests at a time. */
export async function sendContent(
  sftp: Sftp,
  from: Deno.FsFile,
  handle: Buffer,
  tally: Tally,
): Promise<void> {
  const queue: Promise<void>[] = [];
  try {
    for (let offset = 0;;) {
      const chunk = new Uint8Array(CHUNK);
      const size = await from.read(chunk);
      if (size === null) break;
      queue.push(expected(sftp.write(handle, chunk.subarray(0, size), offset)));
      offset += size;
      if (queue.length >= UNDER_WAY) await queue.shift();
      tally.addBytes(size);
    }
    while (queue.length > 0) await queue.shift();
  } finally {
    await Promise.allSettled(queue);
  }
}

/** Marks a promise that is awaited later: failing before that is no unhandled rejection. */
function expected<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
