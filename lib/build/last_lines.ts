const LONGEST_LINE = 500;

/** Tells the lines of two streams as they come, and keeps the last of them. */
export class LastLines {
  readonly #kept: string[] = [];
  readonly #unfinished = { stdout: "", stderr: "" };
  readonly #decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  constructor(readonly most: number, readonly tell: (line: string) => void) {}

  add(stream: "stdout" | "stderr", chunk: Uint8Array): void {
    const text = this.#unfinished[stream] + this.#decoders[stream].decode(chunk, { stream: true });
    const lines = text.split(/[\r\n]+/);
    this.#unfinished[stream] = lines.pop()!.slice(-LONGEST_LINE);
    for (const line of lines) this.#take(line);
  }

  /** The last lines, with those that were not finished. */
  end(): string[] {
    for (const stream of ["stdout", "stderr"] as const) {
      this.#take(this.#unfinished[stream]);
      this.#unfinished[stream] = "";
    }
    return [...this.#kept];
  }

  #take(line: string): void {
    const short = line.slice(0, LONGEST_LINE).trimEnd();
    if (short === "") return;
    this.#kept.push(short);
    if (this.#kept.length > this.most) this.#kept.shift();
    this.tell(short);
  }
}
