const BLOCK_BYTES = 64 * 1024;

/** Writes a file in order, leaving holes where whole blocks are zero. */
export class SparseFile implements Disposable {
  #position = 0;
  #hole = false;
  /** Bytes that really went to the disk. */
  writtenBytes = 0;

  private constructor(readonly file: Deno.FsFile) {}

  static async create(path: string): Promise<SparseFile> {
    return new SparseFile(await Deno.open(path, { write: true, createNew: true, mode: 0o600 }));
  }

  /** Bytes of the file so far, holes included. */
  get sizeBytes(): number {
    return this.#position;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length;) {
      const zero = isZero(chunk.subarray(at, this.#blockEnd(at, chunk)));
      let end = this.#blockEnd(at, chunk);
      while (end < chunk.length) {
        const next = Math.min(end + BLOCK_BYTES, chunk.length);
        if (isZero(chunk.subarray(end, next)) !== zero) break;
        end = next;
      }
      if (!zero) await this.#put(chunk.subarray(at, end));
      this.#hole = zero;
      this.#position += end - at;
      at = end;
    }
  }

  /** Gives the file its full size, a hole at the end included, and puts it on the disk. */
  async finish(): Promise<void> {
    await this.file.truncate(this.#position);
    await this.file.sync();
  }

  [Symbol.dispose](): void {
    this.file.close();
  }

  #blockEnd(at: number, chunk: Uint8Array): number {
    const untilBoundary = BLOCK_BYTES - (this.#position % BLOCK_BYTES);
    return Math.min(at + untilBoundary, chunk.length);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    if (this.#hole) await this.file.seek(this.#position, Deno.SeekMode.Start);
    for (let written = 0; written < bytes.length;) {
      written += await this.file.write(bytes.subarray(written));
    }
    this.writtenBytes += bytes.length;
  }
}

/** True when all bytes are zero. */
function isZero(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0 || bytes[bytes.length - 1] !== 0) return false;
  const whole = bytes.byteOffset % 4 === 0 ? bytes.length >> 2 : 0;
  const words = whole > 0 ? new Int32Array(bytes.buffer, bytes.byteOffset, whole) : undefined;
  for (let index = 0; index < whole; index++) if (words![index] !== 0) return false;
  for (let index = whole * 4; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}
