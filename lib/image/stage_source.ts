import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { acceptQcow2, acceptSize, MAX_VIRTUAL_BYTES } from "./accept_qcow2.ts";
import { type Compression, compressionOf, decompress } from "./decompress.ts";
import { type DiskFormat, recogniseDisk } from "./disk_format.ts";
import { HEADER_BYTES, parseQcow2, type Qcow2Header } from "./qcow2.ts";
import type { Refuse } from "./refuse.ts";
import { isDiskFull, SpaceGuard } from "./space_guard.ts";
import { SparseFile } from "./sparse_file.ts";
import { StreamHead } from "./stream_head.ts";

const REPORT_EVERY_MS = 100;

/** Bytes that shall become a disk, from wherever they come. */
export interface Source {
  bytes: AsyncIterable<Uint8Array>;
  /** How many bytes come, where that is known. */
  sizeBytes?: number;
  /** What the user says it is; by default its own marks decide. */
  format?: DiskFormat;
  /** The path or address shown in hints. */
  label: string;
  refuse: Refuse;
}

/** A source that was read once, unpacked into a private file and found acceptable. */
export interface Staged {
  path: string;
  /** Of the bytes as they came: the identity. */
  digest: string;
  /** Of the unpacked bytes. */
  unpackedDigest: string;
  compression?: Compression;
  format: DiskFormat;
  /** For qcow2. */
  header?: Qcow2Header;
  sourceBytes: number;
  unpackedBytes: number;
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
  let sourceBytes = 0;
  let sourceFailure: unknown;
  let reportedAt = -Infinity;

  async function* counted(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of source.bytes) {
        context.signal.throwIfAborted();
        sourceHash.update(chunk);
        sourceBytes += chunk.length;
        if (performance.now() - reportedAt > REPORT_EVERY_MS) {
          reportedAt = performance.now();
          context.report({
            stage: "copy",
            message: `Reading ${source.label}`,
            done: sourceBytes,
            total: source.sizeBytes,
          });
        }
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
  try {
    const unpacked = compression ? decompress(packed, compression) : packed;
    await using bytes = await StreamHead.take(unpacked, HEADER_BYTES);
    const format = chooseFormat(bytes.head, source);
    const header = format === "qcow2" ? readHeader(bytes.head, refuse) : undefined;
    if (header) acceptQcow2(header, refuse);
    // A qcow2 file holds tables besides its data.
    const mostBytes = format === "raw" ? MAX_VIRTUAL_BYTES : 2 * MAX_VIRTUAL_BYTES;
    for await (const chunk of bytes) {
      context.signal.throwIfAborted();
      if (compression) unpackedHash.update(chunk);
      await space.check(chunk.length);
      await file.write(chunk);
      if (file.sizeBytes > mostBytes) acceptSize(file.sizeBytes, refuse);
    }
    await file.finish();
    if (header && header.tablesEndBytes > file.sizeBytes) {
      throw refuse(
        "integrity",
        `it is cut short (its tables end at byte ${header.tablesEndBytes}, ` +
          `the file at byte ${file.sizeBytes})`,
      );
    }
    if (format === "raw") acceptSize(file.sizeBytes, refuse);
    const digest = `sha256:${sourceHash.digest("hex")}`;
    return {
      path,
      digest,
      unpackedDigest: compression ? `sha256:${unpackedHash.digest("hex")}` : digest,
      compression,
      format,
      header,
      sourceBytes,
      unpackedBytes: file.sizeBytes,
    };
  } catch (error) {
    context.signal.throwIfAborted();
    if (sourceFailure) throw sourceFailure;
    if (error instanceof NidoError) throw error;
    if (isDiskFull(error)) throw await space.exhausted();
    if (!compression || error instanceof Deno.errors.NotCapable) throw error;
    throw refuse("integrity", `its ${compression} data is corrupt or cut short`, { cause: error });
  }
}

function chooseFormat(head: Uint8Array, { format, label, refuse }: Source): DiskFormat {
  if (format === "raw") return "raw";
  const recognised = recogniseDisk(head);
  if (format === "qcow2" && recognised.kind !== "qcow2") {
    throw refuse("invalid_input", "it is not a qcow2 image");
  }
  if (recognised.kind === "foreign") {
    const { title, convertFrom } = recognised;
    throw refuse("invalid_input", `it is ${title}, which Nido does not read`, {
      hint: convertFrom && `qemu-img convert -f ${convertFrom} -O qcow2 ${label} disk.qcow2`,
    });
  }
  if (recognised.kind === "unknown") {
    throw refuse("invalid_input", "it is not a disk image", {
      hint: `nido image import ${label} --format raw`,
    });
  }
  return recognised.kind;
}

function readHeader(head: Uint8Array, refuse: Refuse): Qcow2Header {
  try {
    return parseQcow2(head);
  } catch (fault) {
    throw refuse("integrity", fault instanceof Error ? fault.message : String(fault));
  }
}
