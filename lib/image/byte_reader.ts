/** Reads a stream by numbers of bytes; an end before that throws. */
export class ByteReader implements AsyncDisposable {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#source = stream[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes; for small numbers. */
  async take(count: number): Promise<Uint8Array> {
    const taken = new Uint8Array(count);
    let at = 0;
    for await (const piece of this.pass(count)) {
      taken.set(piece, at);
      at += piece.length;
    }
    return taken;
  }

  /** The next bytes as they come, so many in all. */
  async *pass(count: number): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0;) {
      if (this.#rest.length === 0) {
        const { value, done } = await this.#source.next();
        if (done) throw new Error(`the data ends ${left} bytes too early`);
        this.#rest = value;
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async skip(count: number): Promise<void> {
    for await (const _ of this.pass(count));
  }

  /** Reads on to the end, so that whoever makes the stream finds out whether it is whole. */
  async drain(): Promise<void> {
    while (!(await this.#source.next()).done);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source.return?.();
  }
}
