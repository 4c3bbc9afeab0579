import { MAX_VIRTUAL_BYTES } from "./accept_qcow2.ts";
import type { Refuse } from "./refuse.ts";
import { ByteReader } from "./byte_reader.ts";
import { inPaxFile, inTarHeader, readPax, type SparseMap, tarNumber } from "./tar_header.ts";

const BLOCK_BYTES = 512;
const MOST_TEXT_BYTES = 1024 * 1024;
const ZEROS = new Uint8Array(1024 * 1024);

/**
 * The content of the one file in a tar archive, its holes as zeros; an archive that holds anything
 * but this file and folders is refused. GNU tar's manual tells the formats, the sparse ones too
 * (old GNU and PAX 1.0), which `tar-stream` does not know.
 */
export async function* diskInTar(
  archive: AsyncIterable<Uint8Array>,
  refuse: Refuse,
): AsyncGenerator<Uint8Array> {
  await using bytes = new ByteReader(archive);
  let found: string | undefined;
  let longName: string | undefined;
  let pax: Map<string, string> = new Map();
  for (;;) {
    const header = await bytes.take(BLOCK_BYTES);
    if (header.every((byte) => byte === 0)) break;
    requireChecksum(header);
    const type = String.fromCharCode(header[156]!);
    const sizeBytes = Number(pax.get("size") ?? tarNumber(header, 124, 12));
    const padding = (BLOCK_BYTES - sizeBytes % BLOCK_BYTES) % BLOCK_BYTES;
    if (type === "x" || type === "L") {
      if (sizeBytes > MOST_TEXT_BYTES) throw new Error(`a name of ${sizeBytes} bytes`);
      const text = await bytes.take(sizeBytes);
      if (type === "x") pax = readPax(text);
      else longName = new TextDecoder().decode(text).replace(/\0.*$/s, "");
      await bytes.skip(padding);
      continue;
    }
    if (type === "g" || type === "K") {
      await bytes.skip(sizeBytes + padding);
      continue;
    }
    const name = pax.get("GNU.sparse.name") ?? pax.get("path") ?? longName ??
      textAt(header, 0, 100);
    acceptMember(name, type, refuse);
    if (type !== "5") {
      if (found !== undefined) {
        const names = [found, name].map((one) => JSON.stringify(one)).join(", ");
        throw refuse("invalid_input", `its archive holds more than one file (${names})`);
      }
      found = name;
      yield* content(bytes, header, pax, sizeBytes, refuse);
      await bytes.skip(padding);
    }
    [longName, pax] = [undefined, new Map()];
  }
  await bytes.drain();
  if (found === undefined) throw refuse("invalid_input", "its archive holds no file");
}

function acceptMember(name: string, type: string, refuse: Refuse): void {
  const shown = JSON.stringify(name);
  if (name.startsWith("/") || name.split("/").includes("..")) {
    throw refuse("denied", `its archive names a file outside itself (${shown})`);
  }
  if (type === "1" || type === "2") throw refuse("denied", `its archive holds a link (${shown})`);
  if (!["0", "\0", "7", "S", "5"].includes(type)) {
    throw refuse("invalid_input", `its archive holds something that is no file (${shown})`);
  }
}

/** A file's bytes, as many as it says it has. */
async function* content(
  bytes: ByteReader,
  header: Uint8Array,
  pax: Map<string, string>,
  sizeBytes: number,
  refuse: Refuse,
): AsyncGenerator<Uint8Array> {
  if (header[156] === "S".charCodeAt(0)) {
    return yield* withHoles(bytes, await inTarHeader(header, bytes), sizeBytes);
  }
  const sparse = pax.get("GNU.sparse.major");
  if (sparse === "1") {
    const { map, readBytes } = await inPaxFile(pax, bytes);
    return yield* withHoles(bytes, map, sizeBytes - readBytes);
  }
  if (sparse !== undefined || pax.has("GNU.sparse.size")) {
    throw refuse("invalid_input", "its archive is sparse in a way that Nido does not read", {
      hint: "tar --format=gnu -Scf - DISK | xz > DISK.tar.xz",
    });
  }
  yield* bytes.pass(sizeBytes);
}

async function* withHoles(
  bytes: ByteReader,
  { pieces, realSizeBytes }: SparseMap,
  storedBytes: number,
): AsyncGenerator<Uint8Array> {
  let position = 0;
  if (realSizeBytes > 2 * MAX_VIRTUAL_BYTES) throw new Error(`a file of ${realSizeBytes} bytes`);
  for (const { offset, length } of pieces) {
    if (!(offset >= position && offset + length <= realSizeBytes)) {
      throw new Error(`a piece at ${offset}`);
    }
    yield* zeros(offset - position);
    yield* bytes.pass(length);
    storedBytes -= length;
    position = offset + length;
  }
  if (storedBytes !== 0) throw new Error(`${storedBytes} bytes more than its map tells`);
  yield* zeros(realSizeBytes - position);
}

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}

function requireChecksum(header: Uint8Array): void {
  const sum = header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (sum !== tarNumber(header, 148, 8)) throw new Error("a header's checksum is wrong");
}

function textAt(header: Uint8Array, at: number, length: number): string {
  return new TextDecoder().decode(header.subarray(at, at + length)).replace(/\0.*$/s, "");
}
