import type { Packing } from "../catalog/catalog.ts";
import { bunzip } from "./bunzip.ts";
import { holds } from "./disk_format.ts";
import { wholeZstdFrames } from "./zstd_frames.ts";

/** How a stream is compressed. */
export type Compression = Exclude<Packing, "tar.xz">;

const CHUNK_BYTES = 256 * 1024;
const MARKS: [Compression, string][] = [
  ["xz", "\xfd7zXZ\0"],
  ["gz", "\x1f\x8b\x08"],
  ["zst", "\x28\xb5\x2f\xfd"],
  ["bz2", "BZh"],
];

/** How a file is packed, by its first bytes. */
export function compressionOf(head: Uint8Array): Compression | undefined {
  return MARKS.find(([, bytes]) => holds(head, 0, bytes))?.[0];
}

/** Unpacks a stream as it comes; corrupt data or a missing end makes it throw. */
export async function* decompress(
  packed: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array> {
  if (compression === "xz") return yield* unxz(packed);
  if (compression === "bz2") return yield* bunzip(packed);
  const { createGunzip, createZstdDecompress } = await import("node:zlib");
  const { pipeline, Readable } = await import("node:stream");
  const gz = compression === "gz";
  // Not DecompressionStream: it fails on a gzip file of several members (Deno 2.9).
  const unpack = gz
    ? createGunzip({ chunkSize: CHUNK_BYTES })
    : createZstdDecompress({ chunkSize: CHUNK_BYTES });
  // The iteration below throws what goes wrong in the pipeline.
  pipeline(Readable.from(gz ? packed : wholeZstdFrames(packed)), unpack, () => {});
  yield* unpack;
}

async function* unxz(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { default: xz } = await import("xz-decompress");
  const reader = new xz.XzReadableStream(ReadableStream.from(packed)).getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    // xz-decompress 0.2 throws when it is left after the last input; why it is left tells more.
    await reader.cancel().catch(() => {});
  }
}
