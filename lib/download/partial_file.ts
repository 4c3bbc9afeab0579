import type { Context } from "../context.ts";
import { files } from "../store/files.ts";
import { Hashes } from "./hashes.ts";
import { downloadedBytes, type DownloadRecord, readDownload, writeDownload } from "./partial.ts";

const CHUNK_BYTES = 1024 * 1024;

/** The bytes of a download while this process is at it, with their digests so far. */
export class PartialFile implements Disposable {
  #size = 0;

  private constructor(
    private readonly home: string,
    readonly key: string,
    private readonly digest: string | undefined,
    private readonly file: Deno.FsFile,
    private hashes: Hashes,
    public record: DownloadRecord | undefined,
  ) {}

  /** Opens what is there of a download, or an empty file, and hashes what it holds. */
  static async open(
    context: Context,
    key: string,
    digest: string | undefined,
    hashing: (done: number, total: number) => void,
  ): Promise<PartialFile> {
    const { home } = context;
    await Deno.mkdir(files.download(home, key), { recursive: true, mode: 0o700 });
    const record = await readDownload(home, key);
    const path = downloadedBytes(home, key);
    const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
    const partial = new PartialFile(home, key, digest, file, await Hashes.of(digest), record);
    try {
      if (record === undefined) await partial.cutTo(0);
      else await partial.#hash((await file.stat()).size, context.signal, hashing);
      return partial;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  get path(): string {
    return downloadedBytes(this.home, this.key);
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that went to the disk, for whoever watches its space. */
  get writtenBytes(): number {
    return this.#size;
  }

  /** Bytes of the part that is under way. */
  get partSize(): number {
    return this.#size - (this.record?.partStart ?? 0);
  }

  /** Says what the bytes are; on the disk before the bytes are. */
  async describe(record: DownloadRecord): Promise<void> {
    if (JSON.stringify(record) === JSON.stringify(this.record)) return;
    await writeDownload(this.home, this.key, record);
    this.record = record;
  }

  async append(bytes: Uint8Array): Promise<void> {
    const writing = this.#write(bytes);
    this.hashes.update(bytes);
    await writing;
    this.#size += bytes.length;
  }

  /** Drops what follows a byte. */
  async cutTo(size: number): Promise<void> {
    await this.file.truncate(size);
    this.hashes = await Hashes.of(this.digest);
    this.#size = 0;
    await this.#hash(size, undefined, () => {});
  }

  /** The digests of all bytes; nothing can be appended any more. */
  digests(): { digest: string; sha256: string } {
    return this.hashes.digests(this.digest);
  }

  [Symbol.dispose](): void {
    this.file.close();
  }

  async #hash(
    size: number,
    signal: AbortSignal | undefined,
    hashing: (done: number, total: number) => void,
  ): Promise<void> {
    await this.file.seek(0, Deno.SeekMode.Start);
    const buffer = new Uint8Array(CHUNK_BYTES);
    while (this.#size < size) {
      signal?.throwIfAborted();
      const count = await this.file.read(buffer.subarray(0, size - this.#size));
      if (count === null) break;
      this.hashes.update(buffer.subarray(0, count));
      this.#size += count;
      hashing(this.#size, size);
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let written = 0; written < bytes.length;) {
      written += await this.file.write(bytes.subarray(written));
    }
  }
}
