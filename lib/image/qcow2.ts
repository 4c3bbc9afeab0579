/** What a qcow2 header says; from QEMU's docs/interop/qcow2.rst (7.2). */
export interface Qcow2Header {
  version: 2 | 3;
  virtualSizeBytes: number;
  clusterSizeBytes: number;
  backingFile?: string;
  /** It keeps its data in another file; the name is absent when only the feature bit says so. */
  externalData?: { file?: string };
  encryption?: "AES" | "LUKS";
  compression: "zlib" | "zstd" | "unknown";
  snapshots: number;
  extendedL2: boolean;
  dirty: boolean;
  corrupt: boolean;
  /** It carries dirty bitmaps. */
  bitmaps: boolean;
  /** Incompatible feature bits that this parser doesn't know. */
  unknownFeatures: number[];
  /** Where the last table that the header names ends: a shorter file is cut short. */
  tablesEndBytes: number;
}

/** What is wrong with bytes that should be a qcow2 header, as the end of a sentence. */
export class Qcow2Fault extends Error {
  override name = "Qcow2Fault";
}

const MAGIC = 0x514649fb;
const KNOWN_FEATURES = 5; // dirty, corrupt, external data, compression type, extended L2
const EXTENSION = { end: 0, dataFile: 0x44415441, bitmaps: 0x23852875 } as const;

/** How many bytes of a file's beginning are enough for its header: the largest cluster. */
export const HEADER_BYTES = 2 * 1024 * 1024;

/** True when the bytes begin like a qcow2 file, of whatever version. */
export function looksLikeQcow2(head: Uint8Array): boolean {
  return head.length >= 4 && new DataView(head.buffer, head.byteOffset).getUint32(0) === MAGIC;
}

/** Reads the header of a qcow2 file. */
export async function readQcow2(path: string): Promise<Qcow2Header> {
  using file = await Deno.open(path);
  const small = await readUpTo(file, new Uint8Array(4096));
  try {
    return parseQcow2(small);
  } catch (fault) {
    if (!(fault instanceof Qcow2Fault) || small.length < 4096) throw fault;
  }
  // A header may fill its whole first cluster; nearly none passes 4 KiB.
  await file.seek(0, Deno.SeekMode.Start);
  return parseQcow2(await readUpTo(file, new Uint8Array(HEADER_BYTES)));
}

async function readUpTo(file: Deno.FsFile, into: Uint8Array): Promise<Uint8Array> {
  let filled = 0;
  while (filled < into.length) {
    const count = await file.read(into.subarray(filled));
    if (count === null) break;
    filled += count;
  }
  return into.subarray(0, filled);
}

/** Parses a header from a file's first bytes. */
export function parseQcow2(head: Uint8Array): Qcow2Header {
  if (!looksLikeQcow2(head)) throw new Qcow2Fault("it is not a qcow2 image");
  const fields = new Fields(head);
  const version = fields.u32(4);
  if (version !== 2 && version !== 3) {
    throw new Qcow2Fault(`it is qcow version ${version}, and Nido knows 2 and 3`);
  }
  const clusterBits = fields.u32(20);
  if (clusterBits < 9 || clusterBits > 21) corrupt(`cluster bits ${clusterBits}`);
  const clusterSizeBytes = 2 ** clusterBits;
  const headerLength = version === 2 ? 72 : fields.u32(100);
  const lengthIsRight = version === 2 || headerLength >= 104 && headerLength % 8 === 0;
  if (!lengthIsRight || headerLength > clusterSizeBytes) corrupt(`header length ${headerLength}`);
  if (version === 3 && fields.u32(96) > 6) corrupt(`refcount order ${fields.u32(96)}`);

  const features = version === 3 ? fields.bits(72) : [];
  const extensions = readExtensions(fields, headerLength, clusterSizeBytes);
  const header: Qcow2Header = {
    version,
    virtualSizeBytes: fields.u64(24),
    clusterSizeBytes,
    backingFile: readBackingFile(fields, clusterSizeBytes),
    externalData: features.includes(2) || extensions.dataFile !== undefined
      ? { file: extensions.dataFile }
      : undefined,
    encryption: ([undefined, "AES", "LUKS"] as const)[fields.u32(32)],
    compression: compressionOf(fields, features, headerLength),
    snapshots: fields.u32(60),
    extendedL2: features.includes(4),
    dirty: features.includes(0),
    corrupt: features.includes(1),
    bitmaps: extensions.bitmaps,
    unknownFeatures: features.filter((bit) => bit >= KNOWN_FEATURES),
    tablesEndBytes: Math.max(
      fields.u64(40) + fields.u32(36) * 8,
      fields.u64(48) + fields.u32(56) * clusterSizeBytes,
    ),
  };
  if (fields.u32(32) > 2) corrupt(`encryption method ${fields.u32(32)}`);
  checkTables(fields, header);
  return header;
}

function checkTables(fields: Fields, header: Qcow2Header): void {
  const entryBytes = header.extendedL2 ? 16 : 8;
  const covered = header.clusterSizeBytes / entryBytes * header.clusterSizeBytes;
  const needed = Math.ceil(header.virtualSizeBytes / covered);
  if (fields.u32(36) < needed) {
    corrupt(`an L1 table of ${fields.u32(36)} entries where the size needs ${needed}`);
  }
  for (const [name, offset] of [["L1", fields.u64(40)], ["refcount", fields.u64(48)]] as const) {
    if (offset % header.clusterSizeBytes !== 0) corrupt(`the ${name} table at ${offset}`);
  }
}

function compressionOf(
  fields: Fields,
  features: number[],
  headerLength: number,
): Qcow2Header["compression"] {
  if (!features.includes(3)) return "zlib";
  if (headerLength <= 104) corrupt("a compression type outside the header");
  return fields.u8(104) === 0 ? "zlib" : fields.u8(104) === 1 ? "zstd" : "unknown";
}

function readBackingFile(fields: Fields, clusterSizeBytes: number): string | undefined {
  const [offset, length] = [fields.u64(8), fields.u32(16)];
  if (offset === 0) return undefined;
  if (length > 1023 || offset + length > clusterSizeBytes) corrupt("the backing file's name");
  return fields.text(offset, length);
}

function readExtensions(fields: Fields, start: number, clusterSizeBytes: number) {
  const found = { dataFile: undefined as string | undefined, bitmaps: false };
  const end = fields.u64(8) || clusterSizeBytes;
  for (let at = start; at + 8 <= end;) {
    const [type, length] = [fields.u32(at), fields.u32(at + 4)];
    if (type === EXTENSION.end) break;
    if (at + 8 + length > end) corrupt(`a header extension of ${length} bytes`);
    if (type === EXTENSION.dataFile) found.dataFile = fields.text(at + 8, length);
    if (type === EXTENSION.bitmaps) found.bitmaps = true;
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return found;
}

function corrupt(what: string): never {
  throw new Qcow2Fault(`its qcow2 header is corrupt (${what})`);
}

/** Big-endian fields of a header; one that lies outside the bytes means a file cut short. */
class Fields {
  readonly #view: DataView;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u8 = (at: number): number => this.#within(at, 1).getUint8(at);
  u32 = (at: number): number => this.#within(at, 4).getUint32(at);

  u64(at: number): number {
    const value = this.#within(at, 8).getBigUint64(at);
    return value <= Number.MAX_SAFE_INTEGER ? Number(value) : corrupt(`the number at byte ${at}`);
  }

  /** The positions of the bits that are set in a 64-bit field. */
  bits(at: number): number[] {
    const value = this.#within(at, 8).getBigUint64(at);
    return Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => value >> BigInt(bit) & 1n);
  }

  text(at: number, length: number): string {
    this.#within(at, length);
    return new TextDecoder().decode(this.bytes.subarray(at, at + length));
  }

  #within(at: number, length: number): DataView {
    if (at + length <= this.bytes.length) return this.#view;
    throw new Qcow2Fault(`it is cut short (its header ends at byte ${this.bytes.length})`);
  }
}
