import type { ByteReader } from "./byte_reader.ts";

const BLOCK_BYTES = 512;
const MOST_PIECES = 1_000_000;

/** Where the stored bytes of a sparse file belong. */
export interface SparseMap {
  pieces: { offset: number; length: number }[];
  realSizeBytes: number;
}

/** A number in a tar header: octal digits, or binary where they don't suffice. */
export function tarNumber(header: Uint8Array, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if (field[0]! & 0x80) {
    const value = field.slice(1).reduce((sum, byte) => sum * 256 + byte, field[0]! & 0x7f);
    if (Number.isSafeInteger(value)) return value;
    throw new Error(`the number at byte ${at}`);
  }
  const digits = new TextDecoder().decode(field).replaceAll(/[\0 ]/g, "");
  if (!/^[0-7]*$/.test(digits)) throw new Error(`the number at byte ${at}`);
  return digits === "" ? 0 : parseInt(digits, 8);
}

/** The records of a PAX header: `LENGTH KEY=VALUE\n`. */
export function readPax(bytes: Uint8Array): Map<string, string> {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(32, at);
    const length = Number(new TextDecoder().decode(bytes.subarray(at, space)));
    if (space < 0 || !(length > space - at)) throw new Error("a PAX record without a length");
    const record = new TextDecoder().decode(bytes.subarray(space + 1, at + length - 1));
    const equals = record.indexOf("=");
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at += length;
  }
  if (records.has("size")) whole(records.get("size"));
  return records;
}

/** The map of an old GNU sparse file: in its header and in the blocks that follow. */
export async function inTarHeader(header: Uint8Array, bytes: ByteReader): Promise<SparseMap> {
  const pieces: SparseMap["pieces"] = [];
  const collect = (block: Uint8Array, at: number, count: number) => {
    for (let index = 0; index < count; index++) {
      const [offset, length] = [at + index * 24, at + index * 24 + 12];
      if (block[offset] === 0) return;
      pieces.push({ offset: tarNumber(block, offset, 12), length: tarNumber(block, length, 12) });
    }
  };
  collect(header, 386, 4);
  for (let goesOn = header[482] !== 0; goesOn;) {
    if (pieces.length > MOST_PIECES) throw new Error(`more than ${MOST_PIECES} pieces`);
    const block = await bytes.take(BLOCK_BYTES);
    collect(block, 0, 21);
    goesOn = block[504] !== 0;
  }
  return { pieces, realSizeBytes: tarNumber(header, 483, 12) };
}

/** The map of a PAX 1.0 sparse file: decimal lines before its content. */
export async function inPaxFile(
  pax: Map<string, string>,
  bytes: ByteReader,
): Promise<{ map: SparseMap; readBytes: number }> {
  let [text, readBytes] = ["", 0];
  const numbers: number[] = [];
  for (let wanted = 1; numbers.length < wanted;) {
    text += new TextDecoder().decode(await bytes.take(BLOCK_BYTES));
    readBytes += BLOCK_BYTES;
    const lines = text.split("\n");
    text = lines.pop()!;
    numbers.push(...lines.slice(0, wanted - numbers.length).map(whole));
    if (wanted === 1 && numbers.length === 1) {
      wanted = 1 + 2 * numbers[0]!;
      if (wanted > 2 * MOST_PIECES) throw new Error(`${numbers[0]} pieces`);
      numbers.push(...lines.slice(1, wanted).map(whole));
    }
  }
  const pieces = [];
  for (let at = 1; at < numbers.length; at += 2) {
    pieces.push({ offset: numbers[at]!, length: numbers[at + 1]! });
  }
  return { map: { pieces, realSizeBytes: whole(pax.get("GNU.sparse.realsize")) }, readBytes };
}

function whole(text: string | undefined): number {
  if (text !== undefined && /^\d{1,15}$/.test(text)) return Number(text);
  throw new Error(`${JSON.stringify(text)} is not a number`);
}
