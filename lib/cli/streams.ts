import { NidoError } from "../errors.ts";

/** What a shell shows for a program whose reader went away: 128 + SIGPIPE. */
const READER_GONE = 141;

/** Writes to standard output; ends the process quietly when nobody reads any more. */
export function writeOut(content: string | Uint8Array): void {
  write(Deno.stdout, content, () => Deno.exit(READER_GONE));
}

/** Writes to standard error; work goes on when nobody reads it any more. */
export function writeErr(content: string | Uint8Array): void {
  write(Deno.stderr, content, () => {});
}

function write(
  stream: { writeSync(bytes: Uint8Array): number },
  content: string | Uint8Array,
  readerGone: () => void,
): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  for (let at = 0; at < bytes.length;) {
    try {
      at += stream.writeSync(bytes.subarray(at));
    } catch (error) {
      if (error instanceof Deno.errors.BrokenPipe) return readerGone();
      if (error instanceof Deno.errors.WouldBlock) {
        // a pipe that its other owner made non-blocking is full: its reader needs a moment
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      } else throw new NidoError("unavailable", "Cannot write the output", { cause: error });
    }
  }
}

/** Marks that colour text on a terminal, and nothing elsewhere or with `NO_COLOR`. */
export function paint(stream: { isTerminal(): boolean }) {
  const on = stream.isTerminal() && !Deno.noColor;
  const mark = (code: number) => (text: string) => on ? `\x1b[${code}m${text}\x1b[0m` : text;
  return {
    bold: mark(1),
    dim: mark(2),
    red: mark(31),
    green: mark(32),
    yellow: mark(33),
    cyan: mark(36),
  };
}

/** The columns of the terminal that standard output is, or undefined. */
export function columns(stream: { isTerminal(): boolean } = Deno.stdout): number | undefined {
  if (!stream.isTerminal()) return undefined;
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80; // a terminal that doesn't tell its size
  }
}
