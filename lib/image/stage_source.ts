import type { Packing } from "../catalog/catalog.ts";
import type { Context } from "../context.ts";
import { progressOf } from "../download/progress.ts";
import { NidoError } from "../errors.ts";
import { acceptSize, MAX_VIRTUAL_BYTES } from "./accept_qcow2.ts";
import { chooseFormat, type Expected } from "./choose_format.ts";
import { compressionOf, decompress } from "./decompress.ts";
import { type DiskFormat, isTar } from "./disk_format.ts";
import { HEADER_BYTES, type Qcow2Header } from "./qcow2.ts";
import { isDiskFull, SpaceGuard } from "./space_guard.ts";
import { SparseFile } from "./sparse_file.ts";
import { StreamHead } from "./stream_head.ts";
import { diskInTar } from "./tar_disk.ts";

/** Bytes that shall become a disk, from wherever they come. */
export interface Source extends Expected {
  bytes: AsyncIterable<Uint8Array>;
  /** How many bytes come, where that is known. */
  sizeBytes?: number;
  /** How they are said to be packed; by default their own marks decide. */
  packing?: Packing;
  /** Their identity, where it is known and was verified. */
  digest?: string;
}

/** A disk in a file, found acceptable. */
export interface Staged {
  path: string;
  /** Of the bytes as they came: the identity. */
  digest: string;
  /** sha256 of the unpacked bytes. */
  unpackedDigest: string;
  packing?: Packing;
  format: DiskFormat;
  /** For qcow2. */
  header?: Qcow2Header;
}

/** Reads a source once: digest, unpacking, first checks and a sparse private copy in one pass. */
export async function stageSource(
  context: Context,
  source: Source,
  path: string,
): Promise<Staged> {
  const { createHash } = await import("node:crypto");
  const [sourceHash, unpackedHash] = [createHash("sha256"), createHash("sha256")];
  const { refuse } = source;
  const report = progressOf(context, "copy", `Reading ${source.label}`);
  let sourceBytes = 0;
  let sourceFailure: unknown;

  async function* counted(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of source.bytes) {
        context.signal.throwIfAborted();
        if (!source.digest) sourceHash.update(chunk);
        sourceBytes += chunk.length;
        report(sourceBytes, source.sizeBytes);
        yield chunk;
      }
    } catch (error) {
      sourceFailure = error;
      throw error;
    }
  }

  using file = await SparseFile.create(path);
  const space = new SpaceGuard(context.home, file, refuse);
  await using packed = await StreamHead.take(counted(), 8);
  const compression = compressionOf(packed.head);
  let packing: Packing | undefined = compression;
  try {
    const unpacked = compression ? decompress(packed, compression) : packed;
    await using outer = await StreamHead.take(unpacked, HEADER_BYTES);
    if (compression === "xz" && isTar(outer.head)) packing = "tar.xz";
    if (source.packing && source.packing !== packing) {
      throw refuse("invalid_input", `it is not packed as ${source.packing}`);
    }
    const disk = packing === "tar.xz" ? diskInTar(outer, refuse) : outer;
    await using bytes = await StreamHead.take(disk, HEADER_BYTES);
    const { format, header } = chooseFormat(bytes.head, source);
    // Other formats hold tables besides their data.
    const mostBytes = format === "raw" ? MAX_VIRTUAL_BYTES : 2 * MAX_VIRTUAL_BYTES;
    for await (const chunk of bytes) {
      context.signal.throwIfAborted();
      if (compression || source.digest) unpackedHash.update(chunk);
      await space.check(chunk.length);
      await file.write(chunk);
      if (file.sizeBytes > mostBytes) acceptSize(file.sizeBytes, refuse);
    }
    await file.finish();
    acceptLength({ format, header }, file.sizeBytes, source);
    const digest = source.digest ?? `sha256:${sourceHash.digest("hex")}`;
    const isItself = !compression && !source.digest;
    const unpackedDigest = isItself ? digest : `sha256:${unpackedHash.digest("hex")}`;
    return { path, digest, unpackedDigest, packing, format, header };
  } catch (error) {
    context.signal.throwIfAborted();
    if (sourceFailure) throw sourceFailure;
    if (error instanceof NidoError) throw error;
    if (isDiskFull(error)) throw await space.exhausted();
    if (!compression || error instanceof Deno.errors.NotCapable) throw error;
    throw refuse("integrity", `its ${packing} data is corrupt or cut short`, { cause: error });
  }
}

/** Throws when an unpacked disk ends before its tables do, or makes no sense as a raw one. */
export function acceptLength(
  { format, header }: Pick<Staged, "format" | "header">,
  sizeBytes: number,
  { refuse }: Expected,
): void {
  if (header && header.tablesEndBytes > sizeBytes) {
    throw refuse(
      "integrity",
      `it is cut short (its tables end at byte ${header.tablesEndBytes}, ` +
        `the file at byte ${sizeBytes})`,
    );
  }
  if (format === "raw") acceptSize(sizeBytes, refuse);
}
