/** A stream whose first bytes were looked at; iterating it gives them again, and then the rest. */
export class StreamHead implements AsyncIterable<Uint8Array>, AsyncDisposable {
  private constructor(
    /** At least as many bytes as asked for, unless the stream is shorter. */
    readonly head: Uint8Array,
    readonly chunks: Uint8Array[],
    readonly rest: AsyncIterator<Uint8Array>,
  ) {}

  static async take(stream: AsyncIterable<Uint8Array>, bytes: number): Promise<StreamHead> {
    const rest = stream[Symbol.asyncIterator]();
    const chunks: Uint8Array[] = [];
    for (let length = 0; length < bytes;) {
      const next = await rest.next();
      if (next.done) break;
      chunks.push(next.value);
      length += next.value.length;
    }
    return new StreamHead(await new Blob(chunks as BlobPart[]).bytes(), chunks, rest);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let chunk = this.chunks.shift(); chunk; chunk = this.chunks.shift()) yield chunk;
    for (let next = await this.rest.next(); !next.done; next = await this.rest.next()) {
      yield next.value;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rest.return?.();
  }
}
