import { NidoError } from "../errors.ts";

const NEWLINE = 0x0a;
const DELIMITER = 0xff;

/** Who is at the guest's end of a port, for messages, and how long a line of theirs may be. */
export interface Speaker {
  /** `The guest agent`. */
  name: string;
  longestLineBytes: number;
}

/**
 * The lines that a program in a guest writes to its port. The guest is not trusted: a line has a
 * longest size, and every wait runs inside `within`, which hangs up when its time is over.
 */
export class PortLines implements Disposable {
  readonly #connection: Deno.UnixConn;
  readonly #speaker: Speaker;
  #chunk = new Uint8Array(65536);
  #unread = new Uint8Array();
  #isOpen = true;

  private constructor(connection: Deno.UnixConn, speaker: Speaker) {
    this.#connection = connection;
    this.#speaker = speaker;
  }

  /** Connects; `unavailable` when nothing listens. */
  static async open(path: string, speaker: Speaker): Promise<PortLines> {
    try {
      return new PortLines(await Deno.connect({ transport: "unix", path }), speaker);
    } catch (cause) {
      if (cause instanceof Deno.errors.NotCapable) throw cause;
      throw new NidoError("unavailable", `${speaker.name} at ${path} cannot be reached`, { cause });
    }
  }

  /** Lets `run` send and read until the time is over: then `timeout`, and the connection is closed. */
  async within<T>(deadlineMs: number, command: string, run: () => Promise<T>): Promise<T> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.close();
    }, deadlineMs);
    try {
      return await run();
    } catch (error) {
      if (!isLate) throw error;
      throw new NidoError(
        "timeout",
        `${this.#speaker.name} did not answer ${command} within ${Math.round(deadlineMs)} ms`,
      );
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a line, after some raw bytes. */
  async send(line: string, before: number[] = []): Promise<void> {
    const bytes = new Uint8Array([...before, ...new TextEncoder().encode(line)]);
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#connection.write(bytes.subarray(sent)).catch(() => this.#ended());
    }
  }

  /** The next line, without what stands before a delimiter of the guest agent's. */
  async next(): Promise<string> {
    const pieces: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const end = this.#unread.indexOf(NEWLINE);
      const piece = end < 0 ? this.#unread : this.#unread.subarray(0, end);
      this.#unread = end < 0 ? new Uint8Array() : this.#unread.subarray(end + 1);
      pieces.push(piece);
      size += piece.length;
      if (size > this.#speaker.longestLineBytes) {
        this.close();
        throw new NidoError(
          "integrity",
          `${this.#speaker.name}'s answer is longer than ${this.#speaker.longestLineBytes} bytes`,
        );
      }
      if (end >= 0) return textOf(pieces, size);
      const read = await this.#connection.read(this.#chunk).catch(() => null);
      if (read === null) this.#ended();
      this.#unread = this.#chunk.slice(0, read!);
    }
  }

  close(): void {
    if (this.#isOpen) this.#connection.close();
    this.#isOpen = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #ended(): never {
    throw new NidoError("unavailable", `${this.#speaker.name}'s connection has ended`);
  }
}

function textOf(pieces: Uint8Array[], size: number): string {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return new TextDecoder().decode(bytes.subarray(bytes.lastIndexOf(DELIMITER) + 1));
}
