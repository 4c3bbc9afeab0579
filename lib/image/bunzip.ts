/** The parts of `unbzip2-stream`; the whole keeps a block as an array of numbers, up to 1 GiB of them. */
interface Bzip2 {
  /** Reads a member's header: its blocks hold this many times 100,000 bytes. */
  header(bits: Bits): number;
  /** Decodes one block; null after a member's last one, whose checksum was right. */
  decompress(
    bits: Bits,
    put: (byte: number) => void,
    work: Int32Array,
    size: number,
    checksum: number | null,
  ): number | null;
}

interface Bits {
  bytesRead: number;
}

const PIECE_BYTES = 64 * 1024;
/** More than a block's tables can take. */
const TABLE_BYTES = 25_000;

/** Unpacks bzip2 data of any number of members; damage or a missing end makes it throw. */
export async function* bunzip(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { default: bzip2 }: { default: Bzip2 } = await import("unbzip2-stream/lib/bzip2.js");
  const { default: bitsOf }: { default: (next: () => Uint8Array | undefined) => Bits } =
    await import("unbzip2-stream/lib/bit_iterator.js");
  const waiting: Uint8Array[] = [new Uint8Array()]; // the reader of bits takes one at once
  const bits = bitsOf(() => waiting.shift());
  let [received, level] = [0, 0];
  let checksum: number | null = null;
  const decodeNext = (): Uint8Array[] => {
    const output = new Pieces();
    if (level === 0) [level, checksum] = [bzip2.header(bits), 0];
    else {
      const size = 100_000 * level;
      checksum = bzip2.decompress(bits, output.put, new Int32Array(size), size, checksum);
      if (checksum === null) level = 0;
    }
    return output.take();
  };
  for await (const chunk of packed) {
    waiting.push(chunk);
    received += chunk.length;
    while (received - bits.bytesRead > TABLE_BYTES + 100_000 * level) yield* decodeNext();
  }
  while (received > bits.bytesRead) yield* decodeNext();
  if (checksum !== null) throw new Error("the bzip2 data ends inside a member");
}

/** Collects single bytes. */
class Pieces {
  readonly #pieces: Uint8Array[] = [];
  #piece = new Uint8Array(PIECE_BYTES);
  #filled = 0;

  put = (byte: number): void => {
    this.#piece[this.#filled++] = byte;
    if (this.#filled === PIECE_BYTES) this.#turn();
  };

  take(): Uint8Array[] {
    this.#turn();
    return this.#pieces;
  }

  #turn(): void {
    if (this.#filled > 0) this.#pieces.push(this.#piece.subarray(0, this.#filled));
    [this.#piece, this.#filled] = [new Uint8Array(PIECE_BYTES), 0];
  }
}
