import { join } from "node:path";
import type { Context } from "../context.ts";
import { type Captured, HeadTail } from "../guest/output.ts";
import { diskSpace } from "../host/disk_space.ts";
import { files, outputFile, vmFiles } from "../store/files.ts";
import { namesIn } from "../store/record.ts";
import { formatBytes } from "../units.ts";

const GIB = 1024 ** 3;
const MOST_FILES = 10;

/** What bounds the files with long outputs. */
export interface OutputLimits {
  /** Bytes kept in memory of a stream. */
  keptBytes: number;
  /** Most bytes of a file; default 1 GiB. */
  fileBytes?: number;
  /** Bytes of disk space that stay free; default 1 GiB. */
  freeBytes?: number;
  /** How much is written between two looks at the disk; default 16 MiB. */
  lookEveryBytes?: number;
}

/** A stream as a result tells it. */
export interface KeptStream extends Captured {
  /** The file on this host that has all of it, or its beginning when there is a note. */
  file?: string;
  /** Why the file doesn't have all of it. */
  note?: string;
}

/**
 * Keeps one stream of a command in a VM: beginning and end in memory, and, from the moment that it is
 * longer than that, all of it in a file of the VM. No trouble with the file ends the command.
 */
export class KeptOutput {
  readonly #folder: string;
  readonly #path: string;
  readonly #kept: HeadTail;
  readonly #limits: Required<OutputLimits>;
  #file?: Deno.FsFile;
  #writing = Promise.resolve();
  #isLong = false;
  #hasFile = false;
  #note?: string;
  #writtenBytes = 0;
  #untilLook = 0;

  constructor(
    context: Context,
    vm: string,
    id: string,
    readonly stream: "stdout" | "stderr",
    limits: OutputLimits,
  ) {
    this.#folder = join(files.vm(context.home, vm), vmFiles.outputs);
    this.#path = join(this.#folder, outputFile(context.now(), id, stream));
    this.#limits = { fileBytes: GIB, freeBytes: GIB, lookEveryBytes: 16 * 1024 ** 2, ...limits };
    this.#kept = new HeadTail(limits.keptBytes);
  }

  /** Takes the next bytes; a promise while they are written. */
  add(chunk: Uint8Array): void | Promise<void> {
    const bytes = this.#kept.bytes + chunk.length;
    const fits = bytes <= this.#limits.keptBytes;
    const before = fits || this.#isLong ? undefined : this.#kept.whole();
    this.#isLong = !fits;
    this.#kept.add(chunk);
    if (fits || this.#note !== undefined) return;
    return this.#writing = this.#writing.then(() => this.#write(before, chunk));
  }

  /** Closes the file and tells what was kept. */
  async finish(): Promise<KeptStream> {
    await this.#writing;
    this.#close();
    if (this.#hasFile && !await exists(this.#path)) {
      this.#hasFile = false; // other commands with long outputs ran meanwhile, or the VM is deleted
      this.#note = `the file with its ${this.stream} is removed already`;
    }
    return {
      ...this.#kept.result(),
      file: this.#hasFile ? this.#path : undefined,
      note: this.#note,
    };
  }

  async #write(before: Uint8Array | undefined, chunk: Uint8Array): Promise<void> {
    try {
      if (before) await this.#begin(before);
      await this.#append(chunk);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#stop(`writing its file failed: ${reason}`);
    }
  }

  async #begin(before: Uint8Array): Promise<void> {
    if (await this.#isDiskFull(0)) return;
    this.#file = await this.#create();
    this.#hasFile = true;
    await this.#append(before);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (!this.#file || await this.#isDiskFull(bytes.length)) return;
    const room = this.#limits.fileBytes - this.#writtenBytes;
    for (let rest = bytes.subarray(0, room); rest.length > 0;) {
      const written = await this.#file.write(rest);
      this.#writtenBytes += written;
      rest = rest.subarray(written);
    }
    if (bytes.length > room) {
      this.#stop(`a file has ${formatBytes(this.#limits.fileBytes)} at most`);
    }
  }

  async #isDiskFull(comingBytes: number): Promise<boolean> {
    this.#untilLook -= comingBytes;
    if (this.#untilLook > 0) return false;
    this.#untilLook = this.#limits.lookEveryBytes;
    const space = await diskSpace(join(this.#folder, ".."));
    if (!space || space.freeBytes - comingBytes >= this.#limits.freeBytes) return false;
    this.#stop(`less than ${formatBytes(this.#limits.freeBytes)} of disk space is free`);
    return true;
  }

  async #create(): Promise<Deno.FsFile> {
    await Deno.mkdir(this.#folder, { mode: 0o700 }).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
    for (const name of (await namesIn(this.#folder)).sort().slice(0, 1 - MOST_FILES)) {
      // Another command may be making room just now.
      await Deno.remove(join(this.#folder, name)).catch(() => {});
    }
    return await Deno.open(this.#path, { write: true, createNew: true, mode: 0o600 });
  }

  #stop(reason: string): void {
    this.#close();
    this.#note = `${this.stream} is not kept whole: ${reason}`;
  }

  #close(): void {
    this.#file?.close();
    this.#file = undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isFile;
  } catch {
    return false;
  }
}
