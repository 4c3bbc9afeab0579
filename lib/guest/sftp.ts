import { Buffer } from "node:buffer";
// @ts-types="@types/ssh2"
import type { Attributes, FileEntryWithStats, InputAttributes, SFTPWrapper, Stats } from "ssh2";

import { NidoError } from "../errors.ts";
import type { Link } from "./link.ts";

/** What a guest tells of a file; nothing of it is to be believed. */
export type GuestStat = Pick<Attributes, "mode" | "size" | "mtime">;

/** An entry of a guest's folder. */
export interface GuestEntry {
  name: string;
  stat: GuestStat;
}

/** A request that the guest's SFTP server refused, with the protocol's status. */
export class SftpFailure extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
  static readonly noSuchFile = 2;
  static readonly permissionDenied = 3;
}

const OPEN_MS = 30_000;
const STALL_MS = 60_000;

type Answer<T> = (error?: Error | null, value?: T) => void;

/** File access to a guest. Every request ends: with an answer, the connection, an abort or a stall. */
export class Sftp implements Disposable {
  readonly #pending = new Set<(error: unknown) => void>();
  readonly #stalls: ReturnType<typeof setInterval>;
  #heardAt = performance.now();
  readonly #session: Disposable;
  #over: unknown;

  constructor(
    /** The VM's name, for messages. */
    readonly name: string,
    private readonly raw: SFTPWrapper,
    signal: AbortSignal,
  ) {
    this.#session = this.stopOn(signal);
    raw.on("error", (error: Error) => this.#end(lost(name, error)));
    raw.on("close", () => this.#end(lost(name)));
    this.#stalls = setInterval(() => {
      const silent = performance.now() - this.#heardAt > STALL_MS;
      if (this.#pending.size > 0 && silent) {
        this.#end(new NidoError("timeout", `Cannot copy: VM "${name}" stopped answering`));
      }
    }, 1000);
  }

  /** Fails every request, under way and to come, once a signal aborts. */
  stopOn(signal: AbortSignal | undefined): Disposable {
    const stop = () => this.#end(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop);
    return { [Symbol.dispose]: () => signal?.removeEventListener("abort", stop) };
  }

  #end(reason: unknown): void {
    this.#over ??= reason;
    for (const reject of this.#pending) reject(this.#over);
    this.#pending.clear();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#stalls);
    this.#session[Symbol.dispose]();
    this.#end(new Error("file access is closed"));
    this.raw.end();
  }

  #ask<T>(request: (answer: Answer<T>) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#over) return reject(this.#over);
      if (this.#pending.size === 0) this.#heardAt = performance.now();
      this.#pending.add(reject);
      const answer: Answer<T> = (error, value) => {
        this.#pending.delete(reject);
        this.#heardAt = performance.now();
        if (!error) return resolve(value as T);
        reject(typeof status(error) === "number" ? failure(error) : lost(this.name, error));
      };
      try {
        request(answer);
      } catch (error) {
        this.#pending.delete(reject);
        reject(error);
      }
    });
  }

  stat(path: string): Promise<GuestStat> {
    return this.#ask<Stats>((answer) => this.raw.stat(path, answer));
  }

  lstat(path: string): Promise<GuestStat> {
    return this.#ask<Stats>((answer) => this.raw.lstat(path, answer));
  }

  realpath(path: string): Promise<string> {
    return this.#ask<string>((answer) => this.raw.realpath(path, answer));
  }

  readlink(path: string): Promise<string> {
    return this.#ask<string>((answer) => this.raw.readlink(path, answer));
  }

  open(path: string, flags: "r" | "wx", mode?: number): Promise<Buffer> {
    return this.#ask<Buffer>((answer) => this.raw.open(path, flags, mode ?? 0o600, answer));
  }

  close(handle: Buffer): Promise<void> {
    return this.#ask<void>((answer) => this.raw.close(handle, answer));
  }

  /** The bytes at an offset, at most `length` of them; none at the end of the file. */
  async read(handle: Buffer, offset: number, length: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(length);
    const size = await this.#ask<number>((answer) =>
      this.raw.read(handle, buffer, 0, length, offset, answer)
    );
    return buffer.subarray(0, size);
  }

  write(handle: Buffer, bytes: Uint8Array, offset: number): Promise<void> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return this.#ask<void>((answer) =>
      this.raw.write(handle, buffer, 0, buffer.length, offset, answer)
    );
  }

  mkdir(path: string): Promise<void> {
    return this.#ask<void>((answer) => this.raw.mkdir(path, { mode: 0o700 }, answer));
  }

  setstat(path: string, stat: InputAttributes): Promise<void> {
    return this.#ask<void>((answer) => this.raw.setstat(path, stat, answer));
  }

  unlink(path: string): Promise<void> {
    return this.#ask<void>((answer) => this.raw.unlink(path, answer));
  }

  symlink(target: string, path: string): Promise<void> {
    return this.#ask<void>((answer) => this.raw.symlink(target, path, answer));
  }

  /** Renames over what is there: in one step where the server can, else by removing it first. */
  async replace(from: string, to: string): Promise<void> {
    try {
      await this.#ask<void>((answer) => this.raw.ext_openssh_rename(from, to, answer));
    } catch (error) {
      if (error instanceof SftpFailure || error instanceof NidoError || this.#over) throw error;
      await this.unlink(to).catch(() => {}); // nothing was there
      await this.#ask<void>((answer) => this.raw.rename(from, to, answer));
    }
  }

  /** A folder's entries as they come, without `.` and `..`, which every server lists. */
  async *entries(path: string): AsyncGenerator<GuestEntry> {
    const handle = await this.#ask<Buffer>((answer) => this.raw.opendir(path, answer));
    try {
      for (let empty = 0; empty < 100;) {
        const batch = await this.#batch(handle);
        if (!batch) return;
        empty = batch.length === 0 ? empty + 1 : 0;
        for (const { filename, attrs } of batch) yield { name: filename, stat: attrs };
      }
      throw new NidoError(
        "integrity",
        `Refused a folder listing from the guest: ${path} never ends`,
      );
    } finally {
      await this.close(handle).catch(() => {}); // the listing is what counts
    }
  }

  async #batch(handle: Buffer): Promise<FileEntryWithStats[] | undefined> {
    try {
      return await this.#ask<FileEntryWithStats[]>((answer) => this.raw.readdir(handle, answer));
    } catch (error) {
      if (error instanceof SftpFailure && error.status === 1) return undefined;
      throw error;
    }
  }
}

/** Opens file access on a connection. */
export function openSftp(link: Link): Promise<Sftp> {
  return new Promise((resolve, reject) => {
    const refuse = (cause?: unknown) =>
      reject(
        new NidoError("unavailable", `Cannot copy: VM "${link.name}" has no SFTP server`, {
          hint: `nido exec ${link.name} -- cat FILE`,
          cause,
        }),
      );
    const timer = setTimeout(refuse, OPEN_MS);
    try {
      link.client.sftp((error, raw) => {
        clearTimeout(timer);
        if (error) refuse(error);
        else resolve(new Sftp(link.name, raw, link.signal));
      });
    } catch (error) {
      clearTimeout(timer);
      reject(lost(link.name, error));
    }
  });
}

function status(error: Error): unknown {
  return "code" in error ? error.code : undefined;
}

function failure(error: Error): SftpFailure {
  return new SftpFailure(status(error) as number, error.message);
}

function lost(name: string, cause?: unknown): NidoError {
  return new NidoError("unavailable", `Cannot copy: VM "${name}" ended the connection`, {
    hint: `nido info ${name}`,
    cause,
  });
}
