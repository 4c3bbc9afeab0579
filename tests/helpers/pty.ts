const PATIENCE_MS = 120_000;

/** A program of this project on a real terminal, which `script` makes. */
export class Pty implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  #changed = Promise.withResolvers<void>();
  #ended = false;
  /** All that was shown so far. */
  text = "";

  /** Shows the terminal's name, runs the program, then shows `status N` and what `stty` says. */
  constructor(script: string, args: string, env: Record<string, string> = {}) {
    const program = `'${Deno.execPath()}' run -A '${script}' ${args}`;
    const line = `tty; stty rows 37 cols 91; ${program}; echo "status $?"; stty -a; echo finished`;
    this.#child = new Deno.Command("script", {
      args: ["-qec", line, "/dev/null"],
      env: { TERM: "vt100", NO_COLOR: "1", SHELL: "/bin/sh", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reading = this.#read();
  }

  async press(keys: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(keys));
  }

  /** Waits for something to be shown, and gives what it matched. */
  async until(part: RegExp): Promise<RegExpExecArray> {
    const tooLate = new Error(`${part} did not come in ${PATIENCE_MS} ms`);
    const late = setTimeout(() => this.#changed.reject(tooLate), PATIENCE_MS);
    try {
      return await this.#find(part);
    } catch (error) {
      throw error === tooLate
        ? new Error(`${tooLate.message}: ${JSON.stringify(this.text)}`)
        : error;
    } finally {
      clearTimeout(late);
    }
  }

  async #find(part: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = part.exec(this.text);
      if (found) return found;
      if (this.#ended) throw new Error(`it ended without ${part}: ${JSON.stringify(this.text)}`);
      this.#changed = Promise.withResolvers();
      await this.#changed.promise;
    }
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      this.text += decoder.decode(chunk, { stream: true });
      this.#changed.resolve();
    }
    this.#ended = true;
    this.#changed.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close().catch(() => {});
    if (!this.#ended) this.#child.kill("SIGHUP");
    await Promise.all([this.#reading, this.#child.status]);
  }
}
